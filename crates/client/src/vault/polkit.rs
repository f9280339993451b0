//! Linux's doorkeeper: polkit asks for the user's password, or whatever else the system signs in with, in a dialog of the
//! desktop's own. Bedside never sees it.

use super::{Doorkeeper, NotLetIn};
use std::collections::HashMap;
use std::time::Duration;
use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::Value;

/// As it stands in `src-tauri/polkit`.
const ACTION: &str = "health.bedside.console.unlock";
/// `AllowUserInteraction`.
const MAY_ASK: u32 = 1;
/// No question to anybody: what would be said of it.
const ASK_NOBODY: u32 = 0;
/// What is there answers sooner.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// A person may take their time; a question that was lost can be asked again after this.
const SAYS_WITHIN: Duration = Duration::from_secs(10 * 60);

/// polkit, on the system's bus or another one.
#[derive(Clone, Debug, Default)]
pub struct Polkit {
    address: Option<String>,
}

impl Polkit {
    /// On the bus at this address.
    pub fn at(address: String) -> Self {
        Self { address: Some(address) }
    }

    fn connect(&self, answers_within: Duration) -> zbus::Result<Connection> {
        let builder = match &self.address {
            Some(address) => connection::Builder::address(address.as_str())?,
            None => connection::Builder::system()?,
        };
        builder.method_timeout(answers_within).build()
    }

    /// Whether it is allowed, whether it would be after a question, and what else is said of it.
    fn check(
        &self,
        flags: u32,
        answers_within: Duration,
    ) -> zbus::Result<(bool, bool, HashMap<String, String>)> {
        let bus = self.connect(answers_within)?;
        let name = bus.unique_name().ok_or(zbus::Error::InvalidReply)?;
        let subject = ("system-bus-name", HashMap::from([("name", Value::from(name.as_str()))]));
        let remarks: HashMap<&str, &str> = HashMap::new();
        authority(&bus)?.call("CheckAuthorization", &(subject, ACTION, remarks, flags, ""))
    }

    /// A session over the network isn't one that polkit opens anything in: what locked there would stay so.
    fn would_open(&self) -> zbus::Result<bool> {
        let (yes, once_asked, _) = self.check(ASK_NOBODY, ANSWERS_WITHIN)?;
        Ok(yes || once_asked)
    }

    fn opens(&self) -> zbus::Result<Result<(), NotLetIn>> {
        let (yes, somebody_else_must_ask, about) = self.check(MAY_ASK, SAYS_WITHIN)?;
        Ok(match () {
            () if yes => Ok(()),
            () if about.contains_key("polkit.dismissed") => Err(NotLetIn::Dismissed),
            // The desktop has nothing that asks.
            () if somebody_else_must_ask => Err(NotLetIn::Absent),
            () => Err(NotLetIn::Refused),
        })
    }
}

impl Doorkeeper for Polkit {
    fn is_there(&self) -> bool {
        self.would_open().unwrap_or_else(|error| {
            tracing::debug!(%error, "polkit can't be asked");
            false
        })
    }

    fn ask(&self) -> Result<(), NotLetIn> {
        self.opens().unwrap_or_else(|error| {
            tracing::warn!(%error, "polkit can't be asked");
            Err(NotLetIn::Absent)
        })
    }
}

fn authority(bus: &Connection) -> zbus::Result<Proxy<'_>> {
    Proxy::new(
        bus,
        "org.freedesktop.PolicyKit1",
        "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority",
    )
}
