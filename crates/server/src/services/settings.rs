//! Which model services there are, and which task asks which: a JSON file (docs/services.md).

use super::Service;
use super::breaker::Breaker;
use crate::clock::Clock;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long a service may say nothing at all: a small model on a busy machine reads a long conversation for so long.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to be reached.
const REACHED: Duration = Duration::from_secs(5);
/// Three replies of some sentences.
const MAX_TOKENS: u32 = 800;

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    services: BTreeMap<String, ServiceSettings>,
    /// By the name of the task: the service it asks.
    pub tasks: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceSettings {
    url: String,
    model: String,
    key_file: Option<PathBuf>,
    key_env: Option<String>,
    #[serde(default = "placeholders")]
    placeholders: bool,
    #[serde(default = "context_chars")]
    context_chars: usize,
    #[serde(default = "timeout_s")]
    timeout_s: u64,
    #[serde(default = "parameters")]
    parameters: Map<String, Value>,
}

fn placeholders() -> bool {
    true
}

/// Some 3,000 tokens: the last twenty or thirty messages.
fn context_chars() -> usize {
    12_000
}

fn timeout_s() -> u64 {
    60
}

fn parameters() -> Map<String, Value> {
    Map::from_iter([("max_tokens".to_owned(), json!(MAX_TOKENS))])
}

/// Why services can't be used as they were set.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file, or a key's.
    #[error("{0} can't be read: {1}")]
    File(PathBuf, std::io::Error),
    /// It isn't what docs/services.md says.
    #[error("{0} isn't as docs/services.md says: {1}")]
    Form(PathBuf, serde_json::Error),
    /// A service whose name `/metrics` couldn't show.
    #[error("the service \"{0}\": a name has 1 to 64 characters of A-Z a-z 0-9 - _ .")]
    Name(String),
    /// No address, or one that would send patients' words in the clear.
    #[error("the service {0}: its url is http:// on this machine or https://, as https://models.example/v1")]
    Address(String),
    /// A key that isn't one.
    #[error("the service {0}: its key is missing, empty, or no single line")]
    Key(String),
    /// No time at all, or more than anybody waits.
    #[error("the service {0}: timeout_s is 1 to 600")]
    Timeout(String),
    /// A task that asks a service that isn't there.
    #[error("the task {0} asks the service {1}, which isn't there")]
    NoService(String, String),
    /// A task that the program doesn't know.
    #[error("there is no task {0}")]
    NoTask(String),
    /// TLS can't be used.
    #[error("no client for the service {0} can be made: {1}")]
    Client(String, reqwest::Error),
}

impl Settings {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = text(path)?;
        serde_json::from_str(&text).map_err(|error| SettingsError::Form(path.to_owned(), error))
    }

    /// The services by name.
    pub fn open(&self, clock: &Arc<dyn Clock>) -> Result<BTreeMap<String, Arc<Service>>, SettingsError> {
        let open = |(name, settings): (&String, &ServiceSettings)| {
            Ok((name.clone(), Arc::new(settings.open(name, clock.clone())?)))
        };
        self.services.iter().map(open).collect()
    }
}

impl ServiceSettings {
    fn open(&self, name: &str, clock: Arc<dyn Clock>) -> Result<Service, SettingsError> {
        // The rules of ids are a metric's and a log's, too.
        bedside_protocol::UserId::new(name).map_err(|_| SettingsError::Name(name.to_owned()))?;
        if !(1..=600).contains(&self.timeout_s) {
            return Err(SettingsError::Timeout(name.to_owned()));
        }
        let (url, local) = address(&self.url).ok_or_else(|| SettingsError::Address(name.to_owned()))?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(REACHED)
            .read_timeout(SILENCE)
            // Another host is another service: it gets neither the key nor a patient's words.
            .redirect(reqwest::redirect::Policy::none());
        if local {
            http = http.no_proxy();
        }
        Ok(Service {
            name: name.to_owned(),
            model: self.model.clone(),
            placeholders: self.placeholders,
            context_chars: self.context_chars,
            timeout: Duration::from_secs(self.timeout_s),
            url,
            key: self.key(name)?,
            parameters: self.parameters.clone(),
            http: http.build().map_err(|error| SettingsError::Client(name.to_owned(), error))?,
            clock,
            breaker: Breaker::default(),
            schemaless: AtomicBool::new(false),
        })
    }

    fn key(&self, name: &str) -> Result<Option<HeaderValue>, SettingsError> {
        let wrong = || SettingsError::Key(name.to_owned());
        let key = match (&self.key_file, &self.key_env) {
            (Some(path), None) => text(path)?,
            (None, Some(variable)) => std::env::var(variable).map_err(|_| wrong())?,
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(wrong()),
        };
        let key = Some(key.trim()).filter(|key| !key.is_empty()).ok_or_else(wrong)?;
        let mut key = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| wrong())?;
        key.set_sensitive(true);
        Ok(Some(key))
    }
}

/// Where to ask, and whether that is this machine.
fn address(base: &str) -> Option<(Url, bool)> {
    let url = Url::parse(&format!("{}/chat/completions", base.trim_end_matches('/'))).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
    (safe && url.query().is_none() && url.fragment().is_none()).then_some((url, local))
}

fn text(path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|error| SettingsError::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn open(json: &Value) -> Result<BTreeMap<String, Arc<Service>>, SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("services.json");
        std::fs::write(&path, json.to_string()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Settings::read(&path)?.open(&clock)
    }

    fn one(settings: Value) -> Result<Arc<Service>, SettingsError> {
        open(&json!({"services": {"it": settings}, "tasks": {}})).map(|mut all| all.remove("it").unwrap())
    }

    #[test]
    fn what_is_left_out_is_as_the_documentation_says() {
        let service = one(json!({"url": "http://127.0.0.1:8080/v1/", "model": "m"})).unwrap();
        assert_eq!(service.url.as_str(), "http://127.0.0.1:8080/v1/chat/completions");
        assert!(service.placeholders && service.key.is_none());
        assert_eq!((service.context_chars, service.timeout), (12_000, Duration::from_secs(60)));
        assert_eq!(Value::Object(service.parameters.clone()), json!({"max_tokens": 800}));
    }

    #[test]
    fn patients_words_go_out_encrypted_or_stay_on_the_machine() {
        for (url, good) in [
            ("https://models.example/v1", true),
            ("http://localhost:8080/v1", true),
            ("http://[::1]:8080/v1", true),
            ("http://models.example/v1", false),
            ("http://10.0.0.7/v1", false),
            ("http://localhost.example/v1", false),
            ("ftp://localhost/v1", false),
            ("models.example", false),
            ("", false),
        ] {
            assert_eq!(one(json!({"url": url, "model": "m"})).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn a_key_comes_from_a_file_or_the_environment_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let service = |more: Value| {
            let mut settings = json!({"url": "https://models.example/v1", "model": "m"});
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one(settings)
        };
        for (content, key) in [("secret\n", Some("Bearer secret")), ("", None), ("two\nlines", None)] {
            std::fs::write(&file, content).unwrap();
            match service(json!({"key_file": file})) {
                Ok(service) => {
                    assert_eq!(service.key.as_ref().map(|key| key.to_str().unwrap()), key);
                    assert!(!format!("{:?}", service.key).contains("secret"));
                }
                Err(error) => assert!(key.is_none() && matches!(error, SettingsError::Key(_)), "{error}"),
            }
        }
        // Cargo sets this one, and nobody the other.
        assert!(service(json!({"key_env": "CARGO_PKG_NAME"})).unwrap().key.is_some());
        assert!(service(json!({"key_env": "BEDSIDE_NO_SUCH_KEY"})).is_err());
        assert!(service(json!({"key_env": "CARGO_PKG_NAME", "key_file": file})).is_err());
        assert!(matches!(service(json!({"key_file": "/nowhere/key"})), Err(SettingsError::File(..))));
    }

    #[test]
    fn what_is_misspelt_or_senseless_is_refused() {
        let good = json!({"url": "https://models.example/v1", "model": "m"});
        assert!(open(&json!({"services": {"a b": good}, "tasks": {}})).is_err());
        assert!(open(&json!({"services": {"it": good}})).is_err());
        for (field, value) in
            [("placeholder", json!(false)), ("timeout_s", json!(0)), ("timeout_s", json!(601))]
        {
            let mut settings = good.clone();
            settings[field] = value;
            assert!(one(settings).is_err(), "{field}");
        }
    }
}
