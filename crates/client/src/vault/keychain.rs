//! The system's keychain: Secret Service, Windows Credential Manager, macOS Keychain.

use keyring_core::{Entry, Error};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The keychain can't be asked: there is none, it is locked, or it doesn't answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's keychain can't be asked")]
pub struct NoKeychain;

/// Where secrets are kept that only this user of this computer may read.
pub trait Keychain: Send + Sync + std::fmt::Debug {
    /// The secret of this name, if there is one. May wait for a person to unlock the keychain.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NoKeychain>;
    /// Keeps a secret under this name.
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), NoKeychain>;
    /// Forgets the secret of this name, if there is one.
    fn delete(&self, name: &str) -> Result<(), NoKeychain>;
}

/// As whose a keychain shows our entries.
const SERVICE: &str = "Bedside";

/// The system's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemKeychain;

impl SystemKeychain {
    fn entry(name: &str) -> Result<Entry, Error> {
        // Each time: one that wasn't there at first may be there now.
        #[cfg(all(unix, not(target_os = "macos")))]
        let store = zbus_secret_service_keyring_store::Store::new()?;
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new()?;
        #[cfg(windows)]
        let store = windows_native_keyring_store::Store::new()?;
        keyring_core::set_default_store(store);
        Entry::new(SERVICE, name)
    }
}

impl Keychain for SystemKeychain {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NoKeychain> {
        match Self::entry(name).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), NoKeychain> {
        Self::entry(name).and_then(|entry| entry.set_secret(secret)).map_err(|error| unavailable(&error))
    }

    fn delete(&self, name: &str) -> Result<(), NoKeychain> {
        match Self::entry(name).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn unavailable(error: &Error) -> NoKeychain {
    // Its kind alone: the rest of it may hold what was asked for.
    let kind = match error {
        Error::NoStorageAccess(_) => "it is locked",
        Error::PlatformFailure(_) => "it doesn't answer",
        _ => "it says something else",
    };
    tracing::warn!(kind, "no keychain");
    NoKeychain
}

/// None at all: nothing outlives the program but what a passphrase seals.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoneAtAll;

impl Keychain for NoneAtAll {
    fn get(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NoKeychain> {
        Err(NoKeychain)
    }

    fn set(&self, _: &str, _: &[u8]) -> Result<(), NoKeychain> {
        Err(NoKeychain)
    }

    fn delete(&self, _: &str) -> Result<(), NoKeychain> {
        Err(NoKeychain)
    }
}

/// A keychain that can be shared.
pub type SharedKeychain = Arc<dyn Keychain>;
