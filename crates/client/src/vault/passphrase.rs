//! What a passphrase opens: the cache's keys, sealed under a key that is derived from it.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside_store::{Key, Keys};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Shortest passphrase, in characters: NIST SP 800-63B, 3.1.1.2, for a secret that isn't the only factor. The other one is
/// the computer itself.
pub(crate) const SHORTEST: u32 = 8;
/// The second of RFC 9106's recommended parameters: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// No sealed file may ask for more memory than this.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;

/// The cache's keys under a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// Argon2id's costs; kept, so that they can grow.
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// Base64.
    salt: String,
    nonce: String,
    keys: String,
}

/// It can't be sealed or opened: another passphrase, or a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong;

impl Sealed {
    /// Takes about a quarter of a second, as it should.
    pub(crate) fn new(keys: &Keys, passphrase: &str) -> Result<Self, Wrong> {
        let (mut salt, mut nonce) = ([0; 16], [0; 24]);
        getrandom::fill(&mut salt).map_err(|_| Wrong)?;
        getrandom::fill(&mut nonce).map_err(|_| Wrong)?;
        let mut sealed = Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: BASE64.encode(salt),
            nonce: BASE64.encode(nonce),
            keys: String::new(),
        };
        let mut clear = Zeroizing::new(Vec::with_capacity(2 * Key::BYTES));
        clear.extend_from_slice(keys.cache.bytes());
        clear.extend_from_slice(keys.kept.bytes());
        let payload = Payload { msg: &clear, aad: PURPOSE };
        let bytes = sealed.cipher(passphrase)?.encrypt(&XNonce::from(nonce), payload).map_err(|_| Wrong)?;
        sealed.keys = BASE64.encode(bytes);
        Ok(sealed)
    }

    /// The keys, if it is this passphrase.
    pub(crate) fn open(&self, passphrase: &str) -> Result<Keys, Wrong> {
        let nonce: [u8; 24] = decode(&self.nonce)?.try_into().map_err(|_| Wrong)?;
        let sealed = decode(&self.keys)?;
        let payload = Payload { msg: &sealed, aad: PURPOSE };
        let clear = self.cipher(passphrase)?.decrypt(&XNonce::from(nonce), payload).map_err(|_| Wrong)?;
        let clear = Zeroizing::new(clear);
        let (cache, kept) = clear.split_first_chunk().ok_or(Wrong)?;
        let kept = kept.try_into().map_err(|_| Wrong)?;
        Ok(Keys { cache: Key::new(*cache), kept: Key::new(kept) })
    }

    fn cipher(&self, passphrase: &str) -> Result<XChaCha20Poly1305, Wrong> {
        if MOST_MEMORY_KIB < self.memory_kib {
            return Err(Wrong);
        }
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(Key::BYTES)).map_err(|_| Wrong)?;
        let mut key = Zeroizing::new([0; Key::BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &decode(&self.salt)?, key.as_mut())
            .map_err(|_| Wrong)?;
        XChaCha20Poly1305::new_from_slice(key.as_ref()).map_err(|_| Wrong)
    }
}

/// What a sealed text is, so that one can't be taken for another.
const PURPOSE: &[u8] = b"bedside cache keys 1";

fn decode(text: &str) -> Result<Vec<u8>, Wrong> {
    BASE64.decode(text).map_err(|_| Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_passphrase_opens_it_and_no_other() {
        let keys = Keys { cache: Key::new([1; 32]), kept: Key::new([2; 32]) };
        let sealed = Sealed::new(&keys, "correct horse").unwrap();
        assert_eq!(sealed.open("correct horse"), Ok(keys.clone()));
        assert_eq!(sealed.open("correct horsf"), Err(Wrong));
        assert_eq!(sealed.open(""), Err(Wrong));
        let again = Sealed::new(&keys, "correct horse").unwrap();
        assert_ne!((&again.salt, &again.keys), (&sealed.salt, &sealed.keys));
        // A damaged file is refused, and can't ask for a computer's whole memory.
        for damaged in [
            Sealed { keys: again.keys, ..sealed.clone() },
            Sealed { memory_kib: u32::MAX, ..sealed.clone() },
            Sealed { lanes: 0, ..sealed.clone() },
            Sealed { nonce: "?".into(), ..sealed.clone() },
            Sealed { salt: String::new(), ..sealed },
        ] {
            assert_eq!(damaged.open("correct horse"), Err(Wrong));
        }
    }
}
