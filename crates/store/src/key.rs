//! The keys that the cache's files are encrypted with.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 256 random bits: a SQLCipher file's key. It is wiped when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    /// What a key weighs.
    pub const BYTES: usize = 32;

    /// A key of these bytes, which must be random.
    pub const fn new(bytes: [u8; Key::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept where only its user can read them.
    pub const fn bytes(&self) -> &[u8; Key::BYTES] {
        &self.0
    }

    /// As SQLCipher takes it: raw, so that no time goes into deriving one. See "PRAGMA key" in its documentation.
    pub(crate) fn raw(&self) -> Zeroizing<String> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().map_or('0', char::from);
        // Of its final size from the start: growing would leave copies behind.
        let mut raw = Zeroizing::new(String::with_capacity(2 * Key::BYTES + 3));
        raw.push_str("x'");
        for byte in self.0 {
            raw.push(digit(byte >> 4));
            raw.push(digit(byte & 15));
        }
        raw.push('\'');
        raw
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// One key a file: whoever loses one still has the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Of the cache.
    pub cache: Key,
    /// Of what only this computer knows.
    pub kept: Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_sqlcipher_takes_it_and_shown_to_nobody() {
        let mut bytes = [0; Key::BYTES];
        bytes[0] = 0xab;
        bytes[31] = 0x01;
        let key = Key::new(bytes);
        assert_eq!(key.raw().as_str(), format!("x'ab{}01'", "00".repeat(30)));
        assert_eq!(
            format!("{:?}", Keys { cache: key.clone(), kept: key }),
            "Keys { cache: Key(..), kept: Key(..) }"
        );
    }
}
