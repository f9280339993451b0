//! A server's address.

use crate::api::Failure;
use url::Url;

/// Reads an address as a person types it: scheme, host, port. Plain `http` is for this machine alone, since tokens
/// and messages must not cross a network in the clear.
pub(crate) fn parse(text: &str) -> Result<Url, Failure> {
    let mut url = Url::parse(text.trim()).map_err(|_| Failure::BadAddress)?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(Failure::BadAddress),
    };
    let bare =
        url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    let safe = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    if !(bare && safe) {
        return Err(Failure::BadAddress);
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses() {
        for (text, good) in [
            ("http://127.0.0.1:8790", true),
            (" http://localhost:8790/ ", true),
            ("http://[::1]:1", true),
            ("https://chat.clinic.example", true),
            ("http://chat.clinic.example", false),
            ("http://127.0.0.1.clinic.example", false),
            ("https://me:secret@chat.clinic.example", false),
            ("https://chat.clinic.example/path", false),
            ("ftp://127.0.0.1", false),
            ("chat.clinic.example", false),
            ("", false),
        ] {
            assert_eq!(parse(text).is_ok(), good, "{text}");
        }
    }
}
