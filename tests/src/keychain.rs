//! A keychain in a file, beside the cache that a test looks into.

use bedside_client::{Keychain, NoDoorkeeper, NoKeychain, NoMachine, Policy, Setup, SystemKeychain, Trust};
use bedside_store::{Files, Key, Keys};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where consoles of tests keep their keys. A copy may go into the system's keychain, for a window that takes the cache over.
#[derive(Debug)]
pub struct FileKeychain {
    path: PathBuf,
    copy: bool,
}

impl FileKeychain {
    /// The one in this cache's folder.
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join("keychain.json"), copy: false }
    }

    /// With a copy in the system's keychain.
    pub fn and_system(self) -> Self {
        Self { copy: true, ..self }
    }

    /// Copies all that it has into the system's keychain.
    pub fn copy_to_system(&self) -> Result<(), NoKeychain> {
        self.read().iter().try_for_each(|(name, secret)| SystemKeychain.set(name, secret))
    }

    fn read(&self) -> BTreeMap<String, Vec<u8>> {
        let json = std::fs::read(&self.path).unwrap_or_else(|_| b"{}".to_vec());
        serde_json::from_slice(&json).expect("a keychain of a test")
    }

    fn write(&self, secrets: &BTreeMap<String, Vec<u8>>) {
        // Whole, whenever the program is killed.
        let new = self.path.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(secrets).expect("JSON")).expect("a keychain can be written");
        std::fs::rename(new, &self.path).expect("a keychain can be written");
    }
}

impl Keychain for FileKeychain {
    fn get(&self, name: &str) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, NoKeychain> {
        Ok(self.read().remove(name).map(Into::into))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        let mut secrets = self.read();
        secrets.insert(name.to_owned(), secret.to_owned());
        self.write(&secrets);
        if self.copy { SystemKeychain.set(name, secret) } else { Ok(()) }
    }

    fn delete(&self, name: &str) -> Result<(), NoKeychain> {
        let mut secrets = self.read();
        secrets.remove(name);
        self.write(&secrets);
        if self.copy { SystemKeychain.delete(name) } else { Ok(()) }
    }
}

/// The cache of a console that keeps its keys so.
pub fn files(folder: &Path) -> Files {
    let secrets = FileKeychain::of(folder).read();
    let key = |which: &str| {
        let secret = secrets.iter().find(|(name, _)| name.starts_with(which)).expect("a key").1;
        Key::new(secret.as_slice().try_into().expect("a key's length"))
    };
    Files::new(folder, Keys { cache: key("cache"), kept: key("kept") })
}

/// Keys of caches that no console has.
pub fn keys() -> Keys {
    Keys { cache: Key::new([7; Key::BYTES]), kept: Key::new([9; Key::BYTES]) }
}

/// A console in this folder.
pub fn setup(folder: &Path, trust: Trust) -> Setup {
    let keychain = Arc::new(FileKeychain::of(folder));
    let (doorkeeper, machine) = (Arc::new(NoDoorkeeper), Arc::new(NoMachine));
    Setup { folder: folder.to_owned(), keychain, policy: Policy::default(), trust, doorkeeper, machine }
}

/// SQLite's own connection to a cache.
pub fn connection(files: &Files) -> rusqlite::Connection {
    open(&files.database(), &files.keys().cache)
}

/// SQLite's own connection to an encrypted file.
pub fn open(path: &Path, key: &Key) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).expect("an encrypted file");
    connection.pragma_update(None, "key", raw(key)).expect("a key");
    connection
}

/// A key as SQLCipher takes it.
pub fn raw(key: &Key) -> String {
    let digits: String = key.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{digits}'")
}
