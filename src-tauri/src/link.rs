//! Links: out of the window, into the system's browser.

use serde::Serialize;
use tauri::Url;

/// Why a link wasn't opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// Neither `http` nor `https`: other schemes start other programs.
    Scheme,
    /// The system has no browser, or it didn't start.
    NoBrowser,
}

/// Opens `url` in the system's browser.
pub(crate) fn open(url: &str) -> Result<(), Refused> {
    open::that_detached(web(url)?.as_str()).map_err(|_| Refused::NoBrowser)
}

/// The address as a browser would take it, if it is one of the web.
fn web(url: &str) -> Result<Url, Refused> {
    let url = Url::parse(url).map_err(|_| Refused::Scheme)?;
    let web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if web { Ok(url) } else { Err(Refused::Scheme) }
}

/// The window shows the program's own page and never leaves it.
pub(crate) fn is_own_page(url: &Url) -> bool {
    let own = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    own || (cfg!(dev) && url.host_str() == Some("127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_opened() {
        for (url, good) in [
            ("https://clinic.example/x?y=1", true),
            ("http://clinic.example", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("vscode://open", false),
            ("--help", false),
            ("", false),
        ] {
            assert_eq!(web(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn the_window_stays_on_its_page() {
        assert!(is_own_page(&Url::parse("tauri://localhost/").unwrap()));
        assert!(is_own_page(&Url::parse("http://tauri.localhost/index.html").unwrap()));
        assert!(!is_own_page(&Url::parse("https://clinic.example/").unwrap()));
        assert!(!is_own_page(&Url::parse("data:text/html,x").unwrap()));
    }
}
