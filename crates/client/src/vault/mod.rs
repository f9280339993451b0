//! Where the cache's keys are: in the system's keychain, under a passphrase, or in memory alone.
//!
//! ```text
//!   keychain there ──▶ Keychain ─── a passphrase is chosen ──▶ Keychain, opened by the passphrase once it is locked
//!                      (once it is locked, opened by the system's sign-in)
//!   no keychain ─────▶ Nothing ──── a passphrase is chosen ──▶ Passphrase, opened by it alone
//! ```
//!
//! `keys.json` says which, and holds what the passphrase seals. A locked vault stays locked over a restart. Shredding writes
//! down that it has begun, then destroys the keys, then the files: whatever stops it in the middle, the next start goes on.

mod doorkeeper;
mod keychain;
mod passphrase;
#[cfg(target_os = "linux")]
mod polkit;

pub use doorkeeper::{Doorkeeper, NoDoorkeeper, NotLetIn, SharedDoorkeeper, system_doorkeeper};
pub use keychain::{Keychain, NoKeychain, NoneAtAll, SharedKeychain, SystemKeychain};
pub(crate) use passphrase::SHORTEST;
#[cfg(target_os = "linux")]
pub use polkit::Polkit;

use crate::api::{Keeper, Opener};
use bedside_store::{Files, Key, Keys, Lock, StoreError};
use passphrase::{Sealed, Wrong};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// `keys.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slots {
    keeper: Keeper,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
    /// Opened by the passphrase alone, or else by the system's sign-in, although the keychain has the keys.
    #[serde(default)]
    locked: bool,
    /// The keys are to be destroyed, and then the files.
    #[serde(default)]
    shredding: bool,
}

impl Slots {
    const fn new(keeper: Keeper) -> Self {
        Self { keeper, sealed: None, locked: false, shredding: false }
    }

    /// Whether this can open it, once it is locked. Where there is a passphrase, nothing else can.
    fn opened_by(&self, opener: Opener) -> bool {
        match opener {
            Opener::Passphrase => self.sealed.is_some(),
            Opener::System => self.sealed.is_none() && self.keeper == Keeper::Keychain,
        }
    }
}

/// Why the cache stays closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closed {
    /// This opens it.
    #[error("it is locked")]
    Locked(Opener),
    /// Not this one.
    #[error("another passphrase")]
    WrongPassphrase,
    /// There is nothing that could open it again.
    #[error("no passphrase was chosen")]
    NoPassphrase,
    /// The keychain has the keys, and can't be asked.
    #[error("the keychain has the keys")]
    Keychain(#[from] NoKeychain),
    /// The disk.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<std::io::Error> for Closed {
    fn from(error: std::io::Error) -> Self {
        Closed::Store(error.into())
    }
}

/// Keys and what keeps them.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) files: Files,
    pub(crate) keeper: Keeper,
    pub(crate) has_passphrase: bool,
}

/// The place of a cache and of its keys. Its calls wait for the disk, the keychain, and whoever unlocks that.
#[derive(Debug)]
pub(crate) struct Vault {
    folder: PathBuf,
    keychain: SharedKeychain,
    /// By policy, nothing outlives the program.
    keep_nothing: bool,
    /// One call at a time.
    calls: Mutex<()>,
    /// Counts how often everything was destroyed.
    lives: AtomicU64,
    _alone: Lock,
}

impl Vault {
    /// The vault of this folder, for this program alone.
    pub(crate) fn new(
        folder: PathBuf,
        keychain: SharedKeychain,
        keep_nothing: bool,
    ) -> Result<Self, StoreError> {
        let alone = bedside_store::lock(&folder)?;
        Ok(Self {
            folder,
            keychain,
            keep_nothing,
            calls: Mutex::new(()),
            lives: AtomicU64::new(0),
            _alone: alone,
        })
    }

    /// Opens it, as far as no passphrase is needed. An empty one gets new keys.
    pub(crate) fn open(&self) -> Result<Opened, Closed> {
        let _call = self.call();
        let slots = self.slots()?;
        let left = |keeper| slots.as_ref().is_some_and(|slots| slots.keeper == keeper);
        let shredding = slots.as_ref().is_some_and(|slots| slots.shredding);
        if shredding || self.keep_nothing || left(Keeper::Nothing) {
            self.destroy()?;
            return self.begin();
        }
        match slots {
            None => self.begin(),
            Some(Slots { sealed: Some(_), locked: true, .. })
            | Some(Slots { sealed: Some(_), keeper: Keeper::Passphrase, .. }) => {
                Err(Closed::Locked(Opener::Passphrase))
            }
            Some(Slots { locked: true, .. }) => Err(Closed::Locked(Opener::System)),
            Some(slots) => self.by_keychain(&slots),
        }
    }

    /// Opens it by its passphrase.
    pub(crate) fn unlock(&self, passphrase: &str) -> Result<Opened, Closed> {
        let _call = self.call();
        let slots = self.slots()?.ok_or(Closed::NoPassphrase)?;
        let keys = self.opens(&slots, passphrase)?;
        if slots.keeper == Keeper::Keychain && self.set(&keys).is_err() {
            tracing::warn!("the keychain didn't take the keys back");
        }
        Ok(self.opened(keys, slots.keeper, true))
    }

    /// Opens it after the system has said that it is its user who asks.
    pub(crate) fn unlock_by_system(&self) -> Result<Opened, Closed> {
        let _call = self.call();
        let slots = self.slots()?.ok_or(Closed::NoPassphrase)?;
        if !slots.opened_by(Opener::System) {
            return Err(Closed::Locked(Opener::Passphrase));
        }
        self.by_keychain(&slots)
    }

    /// Until it is locked again nothing is asked, over restarts too. What was unlocked and then couldn't be read stays locked.
    pub(crate) fn note_open(&self) {
        let _call = self.call();
        let noted = self.slots().and_then(|slots| match slots {
            Some(slots) if slots.locked => self.write(&Slots { locked: false, ..slots }),
            _ => Ok(()),
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "that it is open can't be kept");
        }
    }

    /// From now on this alone opens it, over restarts too.
    pub(crate) fn lock(&self, opener: Opener) -> Result<(), Closed> {
        let _call = self.call();
        let slots = self.slots()?.filter(|slots| slots.opened_by(opener)).ok_or(Closed::NoPassphrase)?;
        self.write(&Slots { locked: true, ..slots })
    }

    /// Names what lies between two destructions.
    pub(crate) fn life(&self) -> u64 {
        self.lives.load(Ordering::SeqCst)
    }

    /// Seals the keys of this life under a new passphrase. One that was chosen before must be known.
    pub(crate) fn set_passphrase(
        &self,
        life: u64,
        files: &Files,
        current: Option<&str>,
        new: &str,
    ) -> Result<Keeper, Closed> {
        let _call = self.call();
        if life != self.life() {
            // They were destroyed meanwhile.
            return Err(Closed::Locked(Opener::Passphrase));
        }
        let slots = self.slots()?.unwrap_or(Slots::new(Keeper::Nothing));
        if slots.sealed.is_some() {
            self.opens(&slots, current.unwrap_or_default())?;
        }
        let sealed = Sealed::new(files.keys(), new).map_err(|Wrong| Closed::WrongPassphrase)?;
        // By policy nothing may be kept, a passphrase or not.
        let keeper = match slots.keeper {
            Keeper::Nothing if !self.keep_nothing => Keeper::Passphrase,
            keeper => keeper,
        };
        self.write(&Slots { keeper, sealed: Some(sealed), ..slots })?;
        Ok(keeper)
    }

    /// Destroys the keys, then the files, which nobody may have open; begins an empty one.
    pub(crate) fn shred(&self) -> Result<Opened, Closed> {
        let _call = self.call();
        self.destroy()?;
        self.begin()
    }

    fn call(&self) -> std::sync::MutexGuard<'_, ()> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, keys: Keys, keeper: Keeper, has_passphrase: bool) -> Opened {
        Opened { files: Files::new(&self.folder, keys), keeper, has_passphrase }
    }

    /// With the keys that the keychain has.
    fn by_keychain(&self, slots: &Slots) -> Result<Opened, Closed> {
        let has_passphrase = slots.sealed.is_some();
        let found = (self.get(CACHE), self.get(KEPT));
        let (cache, kept) = match found {
            (Err(NoKeychain), _) | (_, Err(NoKeychain)) if has_passphrase => {
                return Err(Closed::Locked(Opener::Passphrase));
            }
            (cache, kept) => (cache?, kept?),
        };
        // The passphrase has both.
        if has_passphrase && (cache.is_none() || kept.is_none()) {
            return Err(Closed::Locked(Opener::Passphrase));
        }
        if cache.is_none() && kept.is_none() && bedside_store::is_there(&self.folder) {
            // Perhaps it is another keychain that answers: nothing is deleted unless somebody says so.
            return Err(Closed::Keychain(NoKeychain));
        }
        // A lost key is lost: the file that it was for is made anew, from the other one or the server.
        let keys = Keys { cache: self.or_new(CACHE, cache)?, kept: self.or_new(KEPT, kept)? };
        Ok(self.opened(keys, Keeper::Keychain, has_passphrase))
    }

    fn opens(&self, slots: &Slots, passphrase: &str) -> Result<Keys, Closed> {
        let sealed = slots.sealed.as_ref().ok_or(Closed::NoPassphrase)?;
        sealed.open(passphrase).map_err(|Wrong| Closed::WrongPassphrase)
    }

    /// New keys, kept in the keychain if there is one.
    fn begin(&self) -> Result<Opened, Closed> {
        let keys = Keys { cache: random()?, kept: random()? };
        let keeper = match self.keep_nothing || self.set(&keys).is_err() {
            true => Keeper::Nothing,
            false => Keeper::Keychain,
        };
        self.write(&Slots::new(keeper))?;
        Ok(self.opened(keys, keeper, false))
    }

    fn destroy(&self) -> Result<(), Closed> {
        self.lives.fetch_add(1, Ordering::SeqCst);
        let slots = self.slots().ok().flatten().unwrap_or(Slots::new(Keeper::Nothing));
        // A disk that doesn't take the note must not save the keys. The note has no sealed keys any more.
        let noted = self.write(&Slots { shredding: true, ..Slots::new(slots.keeper) });
        // Also where it isn't the keeper: it may have been earlier, and have been out of reach then.
        let forgotten = self.forget();
        if noted.is_err() || (forgotten.is_err() && slots.keeper == Keeper::Keychain) {
            tracing::error!(
                noted = noted.is_ok(),
                forgotten = forgotten.is_ok(),
                "the keys' end is not certain"
            );
        }
        bedside_store::delete(&self.folder)?;
        remove(&self.path())?;
        Ok(bedside_store::sync_folder(&self.folder)?)
    }

    fn forget(&self) -> Result<(), NoKeychain> {
        // Both, whatever becomes of the first.
        let (cache, kept) = (self.keychain.delete(&self.name(CACHE)), self.keychain.delete(&self.name(KEPT)));
        cache.and(kept)
    }

    fn get(&self, which: &str) -> Result<Option<Key>, NoKeychain> {
        let secret = self.keychain.get(&self.name(which))?;
        // Anything else than a key is none of ours.
        Ok(secret.and_then(|secret| secret.as_slice().try_into().ok()).map(Key::new))
    }

    fn or_new(&self, which: &str, found: Option<Key>) -> Result<Key, Closed> {
        if let Some(key) = found {
            return Ok(key);
        }
        tracing::error!(which, "a key is gone from the keychain");
        let key = random()?;
        self.keychain.set(&self.name(which), key.bytes())?;
        Ok(key)
    }

    fn set(&self, keys: &Keys) -> Result<(), NoKeychain> {
        self.keychain.set(&self.name(CACHE), keys.cache.bytes())?;
        self.keychain.set(&self.name(KEPT), keys.kept.bytes())
    }

    /// Names a key by its folder, so that nothing has to be remembered to find it.
    fn name(&self, which: &str) -> String {
        format!("{which} key of {}", self.folder.display())
    }

    fn path(&self) -> PathBuf {
        self.folder.join("keys.json")
    }

    /// What `keys.json` says; none if there is none, or none that can be read.
    fn slots(&self) -> Result<Option<Slots>, Closed> {
        match std::fs::read(self.path()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok().or_else(|| self.unreadable())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Older programs wrote none.
                let older = bedside_store::is_there(&self.folder);
                Ok(older.then_some(Slots::new(Keeper::Keychain)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A damaged `keys.json` costs the passphrase, not what the keychain has.
    fn unreadable(&self) -> Option<Slots> {
        tracing::error!("keys.json can't be read");
        Some(Slots::new(Keeper::Keychain))
    }

    fn write(&self, slots: &Slots) -> Result<(), Closed> {
        let json = serde_json::to_vec_pretty(slots).map_err(StoreError::from)?;
        Ok(bedside_store::replace_private(&self.path(), &json)?)
    }
}

/// Of the conversations.
const CACHE: &str = "cache";
/// Of what only this computer knows.
const KEPT: &str = "kept";

fn random() -> Result<Key, Closed> {
    let mut bytes = zeroize::Zeroizing::new([0; Key::BYTES]);
    getrandom::fill(bytes.as_mut()).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(Key::new(*bytes))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
