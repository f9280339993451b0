use super::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A keychain in memory, that can be away, and can be where the program dies.
#[derive(Debug, Default)]
struct FakeKeychain {
    secrets: Mutex<BTreeMap<String, Vec<u8>>>,
    away: AtomicBool,
    /// Deletions until the program dies; 0 for never.
    dies_at: AtomicUsize,
}

impl FakeKeychain {
    fn secrets(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>>, NoKeychain> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if self.away.load(Ordering::Relaxed) { Err(NoKeychain) } else { Ok(secrets) }
    }

    fn lose(&self, which: &str) {
        self.secrets.lock().unwrap().retain(|name, _| !name.starts_with(which));
    }
}

impl Keychain for FakeKeychain {
    fn get(&self, name: &str) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, NoKeychain> {
        Ok(self.secrets()?.get(name).cloned().map(Into::into))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        self.secrets()?.insert(name.into(), secret.into());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), NoKeychain> {
        let left = self.dies_at.load(Ordering::Relaxed);
        if left > 0 {
            self.dies_at.store(left - 1, Ordering::Relaxed);
            assert_ne!(left, 1, "the program dies");
        }
        self.secrets()?.remove(name);
        Ok(())
    }
}

struct Place {
    folder: tempfile::TempDir,
    keychain: Arc<FakeKeychain>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), keychain: Arc::default() }
    }

    fn without_keychain() -> Self {
        let place = Self::new();
        place.keychain.away.store(true, Ordering::Relaxed);
        place
    }

    fn start(&self) -> Vault {
        Vault::new(self.folder.path().into(), self.keychain.clone(), false).unwrap()
    }

    /// A cache that is opened and holds something.
    fn fill(&self, opened: &Opened) {
        drop(bedside_store::Cache::open(&opened.files, "d").unwrap());
    }

    fn json(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("keys.json")).unwrap()
    }
}

#[test]
fn the_keychain_keeps_the_keys_over_a_restart_and_no_file_has_them() {
    let place = Place::new();
    let first = place.start().open().unwrap();
    assert_eq!((first.keeper, first.has_passphrase), (Keeper::Keychain, false));
    assert_ne!(first.files.keys().cache, first.files.keys().kept);
    let second = place.start().open().unwrap();
    assert_eq!(second.files.keys(), first.files.keys());
    assert!(!place.json().contains("sealed"));
    assert!(matches!(place.start().lock(Opener::Passphrase), Err(Closed::NoPassphrase)));
}

#[test]
fn without_a_keychain_nothing_is_kept_until_there_is_a_passphrase() {
    let place = Place::without_keychain();
    let first = place.start().open().unwrap();
    assert_eq!(first.keeper, Keeper::Nothing);
    place.fill(&first);
    let vault = place.start();
    let second = vault.open().unwrap();
    assert_ne!(second.files.keys(), first.files.keys());
    assert!(!bedside_store::is_there(place.folder.path()), "what nobody can read goes");
    place.fill(&second);
    assert_eq!(
        vault.set_passphrase(vault.life(), &second.files, None, "correct horse").unwrap(),
        Keeper::Passphrase
    );
    drop(vault);
    let vault = place.start();
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::Passphrase))));
    assert!(matches!(vault.unlock("wrong horse"), Err(Closed::WrongPassphrase)));
    assert!(bedside_store::is_there(place.folder.path()));
    let third = vault.unlock("correct horse").unwrap();
    assert_eq!((third.files.keys(), third.keeper), (second.files.keys(), Keeper::Passphrase));
}

#[test]
fn what_is_locked_stays_locked_over_a_restart() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    vault.set_passphrase(vault.life(), &first.files, None, "correct horse").unwrap();
    assert!(matches!(
        vault.set_passphrase(vault.life(), &first.files, Some("guess"), "my own now"),
        Err(Closed::WrongPassphrase)
    ));
    vault.set_passphrase(vault.life(), &first.files, Some("correct horse"), "battery staple").unwrap();
    drop(vault);
    assert!(place.start().open().unwrap().has_passphrase, "the keychain opens what isn't locked");
    place.start().lock(Opener::Passphrase).unwrap();
    let vault = place.start();
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::Passphrase))));
    assert!(matches!(vault.unlock("correct horse"), Err(Closed::WrongPassphrase)));
    assert_eq!(vault.unlock("battery staple").unwrap().files.keys(), first.files.keys());
    vault.note_open();
    drop(vault);
    assert_eq!(place.start().open().unwrap().files.keys(), first.files.keys());
}

#[test]
fn a_lost_entry_costs_its_own_file_alone_and_with_a_passphrase_nothing() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    place.fill(&first);
    place.keychain.lose("cache");
    let second = vault.open().unwrap();
    assert_eq!(second.files.keys().kept, first.files.keys().kept);
    assert_ne!(second.files.keys().cache, first.files.keys().cache);
    vault.set_passphrase(vault.life(), &second.files, None, "correct horse").unwrap();
    place.keychain.lose("cache");
    place.keychain.lose("kept");
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::Passphrase))));
    assert_eq!(vault.unlock("correct horse").unwrap().files.keys(), second.files.keys());
    assert_eq!(vault.open().unwrap().files.keys(), second.files.keys(), "the keychain has them again");
}

/// Perhaps it is another keychain that answers. Nothing is deleted before somebody says so.
#[test]
fn with_both_entries_lost_nothing_is_touched() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    place.fill(&first);
    let secrets = place.keychain.secrets().unwrap().clone();
    place.keychain.lose("");
    assert!(matches!(vault.open(), Err(Closed::Keychain(NoKeychain))));
    *place.keychain.secrets().unwrap() = secrets;
    assert_eq!(vault.open().unwrap().files.keys(), first.files.keys());
    // Who signs out says so.
    place.keychain.lose("");
    assert_ne!(vault.shred().unwrap().files.keys(), first.files.keys());
}

/// Keys that were destroyed meanwhile are sealed no more.
#[test]
fn a_passphrase_seals_no_keys_of_an_earlier_life() {
    let place = Place::new();
    let vault = place.start();
    let (first, life) = (vault.open().unwrap(), vault.life());
    let second = vault.shred().unwrap();
    assert!(matches!(
        vault.set_passphrase(life, &first.files, None, "correct horse"),
        Err(Closed::Locked(Opener::Passphrase))
    ));
    assert_eq!(vault.open().unwrap().files.keys(), second.files.keys());
}

#[test]
fn a_keychain_that_is_away_is_waited_for_and_costs_nothing() {
    let place = Place::new();
    let first = place.start().open().unwrap();
    place.fill(&first);
    place.keychain.away.store(true, Ordering::Relaxed);
    assert!(matches!(place.start().open(), Err(Closed::Keychain(NoKeychain))));
    assert!(bedside_store::is_there(place.folder.path()));
    place.keychain.away.store(false, Ordering::Relaxed);
    assert_eq!(place.start().open().unwrap().files.keys(), first.files.keys());
}

#[test]
fn what_is_shredded_is_gone_wherever_the_program_dies() {
    for dies_at in 0..=2 {
        let place = Place::new();
        let vault = place.start();
        let first = vault.open().unwrap();
        place.fill(&first);
        vault.set_passphrase(vault.life(), &first.files, None, "correct horse").unwrap();
        place.keychain.dies_at.store(dies_at, Ordering::Relaxed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vault.shred()));
        assert_eq!(outcome.is_err(), dies_at > 0);
        assert!(!place.json().contains("sealed"), "the passphrase opens nothing any more");
        drop(vault);
        let vault = place.start();
        let second = vault.open().unwrap();
        assert_ne!(second.files.keys().cache, first.files.keys().cache);
        assert_ne!(second.files.keys().kept, first.files.keys().kept);
        assert!(!bedside_store::is_there(place.folder.path()));
        let secrets = place.keychain.secrets().unwrap();
        for key in [&first.files.keys().cache, &first.files.keys().kept] {
            assert!(!secrets.values().any(|secret| secret == key.bytes()), "{dies_at}");
        }
    }
}

#[test]
fn by_policy_nothing_is_kept() {
    let place = Place::new();
    let first = place.start().open().unwrap();
    place.fill(&first);
    let vault = Vault::new(place.folder.path().into(), place.keychain.clone(), true).unwrap();
    let second = vault.open().unwrap();
    assert_eq!(second.keeper, Keeper::Nothing);
    assert!(place.keychain.secrets().unwrap().is_empty());
    // A passphrase locks the window all the same.
    assert_eq!(
        vault.set_passphrase(vault.life(), &second.files, None, "correct horse").unwrap(),
        Keeper::Nothing
    );
    vault.lock(Opener::Passphrase).unwrap();
    assert_eq!(vault.unlock("correct horse").unwrap().files.keys(), second.files.keys());
    drop(vault);
    let third = Vault::new(place.folder.path().into(), place.keychain.clone(), true).unwrap().open().unwrap();
    assert_ne!(third.files.keys(), second.files.keys());
}

#[test]
fn a_damaged_note_costs_the_passphrase_and_nothing_else() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    vault.set_passphrase(vault.life(), &first.files, None, "correct horse").unwrap();
    std::fs::write(place.folder.path().join("keys.json"), "{").unwrap();
    let second = vault.open().unwrap();
    assert_eq!((second.files.keys(), second.has_passphrase), (first.files.keys(), false));
}

#[test]
fn what_the_system_locked_it_alone_opens_over_restarts_too() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    place.fill(&first);
    assert!(matches!(vault.unlock_by_system(), Ok(opened) if opened.files.keys() == first.files.keys()));
    vault.lock(Opener::System).unwrap();
    assert!(matches!(vault.unlock("correct horse"), Err(Closed::NoPassphrase)));
    drop(vault);
    let vault = place.start();
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::System))));
    // The keychain may be locked although the person is known: nothing is touched.
    place.keychain.away.store(true, Ordering::Relaxed);
    assert!(matches!(vault.unlock_by_system(), Err(Closed::Keychain(_))));
    place.keychain.away.store(false, Ordering::Relaxed);
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::System))));
    let second = vault.unlock_by_system().unwrap();
    assert_eq!((second.files.keys(), second.has_passphrase), (first.files.keys(), false));
    assert!(matches!(vault.open(), Err(Closed::Locked(Opener::System))), "nobody could read it yet");
    vault.note_open();
    drop(vault);
    assert_eq!(place.start().open().unwrap().files.keys(), first.files.keys());
}

#[test]
fn where_there_is_a_passphrase_or_no_keychain_the_system_opens_nothing() {
    let place = Place::new();
    let vault = place.start();
    let first = vault.open().unwrap();
    vault.set_passphrase(vault.life(), &first.files, None, "correct horse").unwrap();
    assert!(matches!(vault.lock(Opener::System), Err(Closed::NoPassphrase)));
    vault.lock(Opener::Passphrase).unwrap();
    assert!(matches!(vault.unlock_by_system(), Err(Closed::Locked(Opener::Passphrase))));
    let place = Place::without_keychain();
    let vault = place.start();
    vault.open().unwrap();
    assert!(matches!(vault.lock(Opener::System), Err(Closed::NoPassphrase)));
}
