//! Tokens: who somebody is, signed by this server. Compact JWTs with HS256 and nothing else, so that a clinic's identity
//! system can be connected by minting them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bedside_protocol::{ClinicId, ConnectRefusal, Time, UserId};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The key's file within the data directory.
const KEY_FILE: &str = "token.key";
/// As long as the digest: more adds nothing, less takes away.
const KEY_BYTES: usize = 32;
/// Longest token; ours are some 300 bytes.
const MAX_TOKEN_BYTES: usize = 4096;
/// The one header that is made and taken: with the algorithm fixed, `none` and mixed-up keys have nowhere to come in.
const ALGORITHM: &str = "HS256";

/// What a token lets its bearer be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// A clinician or other staff of the clinic.
    Provider,
    /// A patient of the clinic.
    Patient,
    /// The clinic's IT: takes access away.
    Admin,
    /// A model service: writes suggestions.
    Service,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: UserId,
    /// The name to show.
    pub name: String,
    /// As what.
    pub role: TokenRole,
    /// Of which clinic.
    pub clinic: ClinicId,
    /// A patient's date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
    /// When it was made, in seconds.
    pub iat: u64,
    /// When it ends, in seconds.
    pub exp: u64,
    /// Its own id.
    pub jti: String,
}

impl Claims {
    /// When the token was made, as precisely as it says.
    pub fn made(&self) -> Time {
        Time::new(self.iat.saturating_mul(1000))
    }

    /// When the token ends.
    pub fn expires(&self) -> Time {
        Time::new(self.exp.saturating_mul(1000))
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
}

/// The key that signs.
pub struct Key([u8; KEY_BYTES]);

/// Writes a new key beside its place and then puts it there whole, unless somebody else has meanwhile: a full disk or a
/// crash leaves no half of one.
fn make_key(data: &Path, path: &Path) -> io::Result<()> {
    let aside = data.join(format!("{KEY_FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&aside).and_then(|mut file| {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        file.write_all(&key)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::hard_link(&aside, path));
    std::fs::remove_file(&aside)?;
    match placed {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl Key {
    /// Reads the data directory's key; makes one, for its owner's eyes only, where there is none.
    pub fn of(data: &Path) -> io::Result<Self> {
        let path = data.join(KEY_FILE);
        if !path.exists() {
            make_key(data, &path)?;
        }
        let mut bytes = Vec::new();
        File::open(&path)?.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let wrong = |_| io::Error::other(format!("{KEY_FILE} doesn't hold {KEY_BYTES} bytes"));
        Ok(Self(bytes.try_into().map_err(wrong)?))
    }

    /// Whether the data directory has a key.
    pub fn exists(data: &Path) -> bool {
        data.join(KEY_FILE).exists()
    }

    /// A token that says `claims`.
    pub fn mint(&self, claims: &Claims) -> String {
        let header = Header { alg: ALGORITHM.into(), typ: Some("JWT".into()) };
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = BASE64.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// What `token` says, if this key signed it and it hasn't ended.
    pub fn verify(&self, token: &str, now: Time) -> Result<Claims, ConnectRefusal> {
        let claims = self.read(token).ok_or(ConnectRefusal::Unauthenticated)?;
        if claims.expires() <= now {
            return Err(ConnectRefusal::Expired);
        }
        Ok(claims)
    }

    fn read(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        // Compares in constant time.
        self.mac(signed).verify_slice(&signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decode(header)?;
        (header.alg == ALGORITHM).then(|| decode(claims)).flatten()
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        // HMAC takes a key of any length; this one is of the block's.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(text.as_bytes());
        mac
    }
}

fn encode<T: Serialize>(value: &T) -> String {
    // Neither header nor claims hold anything that JSON can't say.
    BASE64.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decode<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(text).ok()?).ok()
}

/// 128 random bits as text, for a token's own id.
pub fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::new(1_800_000_000_000);

    fn claims() -> Claims {
        Claims {
            sub: UserId::new("amara").unwrap(),
            name: "Dr. Amara Osei".into(),
            role: TokenRole::Provider,
            clinic: ClinicId::new("riverside").unwrap(),
            born: None,
            iat: 1_799_999_000,
            exp: 1_800_000_060,
            jti: "1".into(),
        }
    }

    fn key(byte: u8) -> Key {
        Key([byte; KEY_BYTES])
    }

    #[test]
    fn what_was_minted_is_read_back() {
        let token = key(1).mint(&claims());
        assert_eq!(key(1).verify(&token, NOW), Ok(claims()));
    }

    /// The example of RFC 7515, appendix A.1, whose key has 64 bytes; ours are padded with zeros as HMAC does it itself.
    #[test]
    fn the_signature_is_hmac_sha256() {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; KEY_BYTES]).unwrap();
        mac.update(b"a.b");
        assert_eq!(key(7).mac("a.b").finalize().into_bytes(), mac.finalize().into_bytes());
    }

    #[test]
    fn every_tampered_byte_is_noticed() {
        let token = key(1).mint(&claims());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert_eq!(key(1).verify(&tampered, NOW), Err(ConnectRefusal::Unauthenticated), "byte {at}");
        }
    }

    #[test]
    fn only_this_key_and_this_algorithm() {
        let token = key(2).mint(&claims());
        assert_eq!(key(1).verify(&token, NOW), Err(ConnectRefusal::Unauthenticated));
        let payload = encode(&claims());
        for alg in ["none", "None", "HS512", "RS256", ""] {
            let header = encode(&Header { alg: alg.into(), typ: None });
            let signed = format!("{header}.{payload}");
            let signature = BASE64.encode(key(1).mac(&signed).finalize().into_bytes());
            for token in [format!("{signed}."), format!("{signed}.{signature}"), signed] {
                assert_eq!(key(1).verify(&token, NOW), Err(ConnectRefusal::Unauthenticated), "{alg}");
            }
        }
    }

    #[test]
    fn ends_on_time() {
        let token = key(1).mint(&claims());
        let end = claims().expires();
        assert!(key(1).verify(&token, end.minus(1)).is_ok());
        assert_eq!(key(1).verify(&token, end), Err(ConnectRefusal::Expired));
        let endless = Claims { exp: u64::MAX, ..claims() };
        assert!(key(1).verify(&key(1).mint(&endless), NOW).is_ok());
    }

    #[test]
    fn garbage_is_unauthenticated() {
        let long = "a".repeat(1 << 20);
        for token in ["", ".", "..", "...", "a.b.c", "é.é.é", "\0", long.as_str()] {
            assert_eq!(key(1).verify(token, NOW), Err(ConnectRefusal::Unauthenticated));
        }
    }

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let first = Key::of(dir.path()).unwrap();
        assert_eq!(Key::of(dir.path()).unwrap().0, first.0);
        assert_ne!(first.0, [0; KEY_BYTES]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(dir.path().join(KEY_FILE), "short").unwrap();
        assert!(Key::of(dir.path()).is_err());
    }
}
