//! What Linux says over its system bus: logind, NetworkManager and UPower. A service that isn't there says nothing, and may
//! come later.

use super::{Ear, Said, Stay};
use futures_util::StreamExt;
use futures_util::stream::select;
use std::future::ready;
use zbus::fdo::{PropertiesChanged, PropertiesProxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedFd, OwnedObjectPath};
use zbus::{Connection, Proxy, connection};

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: (&str, &str) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");

/// A number that a service tells, and what it means.
struct Level {
    service: &'static str,
    path: &'static str,
    interface: &'static str,
    property: &'static str,
    means: fn(u32) -> bool,
    say: fn(bool) -> Said,
}

const METERED: Level = Level {
    service: "org.freedesktop.NetworkManager",
    path: "/org/freedesktop/NetworkManager",
    interface: "org.freedesktop.NetworkManager",
    property: "Metered",
    // Yes, or guessed so.
    means: |metered| matches!(metered, 1 | 3),
    say: Said::Metered,
};

const BATTERY: Level = Level {
    service: "org.freedesktop.UPower",
    path: "/org/freedesktop/UPower/devices/DisplayDevice",
    interface: "org.freedesktop.UPower.Device",
    property: "WarningLevel",
    // Low, critical, or so empty that the system does something about it. A battery that is charged has none of these.
    means: |warning| 3 <= warning,
    say: Said::LowBattery,
};

/// Says what the services on the bus say, until it is gone; without an address, on the system's.
pub(super) async fn listen(address: Option<String>, ear: Ear) {
    let bus = match address {
        Some(address) => match connection::Builder::address(address.as_str()) {
            Ok(bus) => bus.build().await,
            Err(error) => Err(error),
        },
        None => Connection::system().await,
    };
    match bus {
        Ok(bus) => {
            tokio::join!(
                noted("sleep", sleep(&bus, &ear)),
                noted("session", session(&bus, &ear)),
                noted("line", level(&bus, &METERED, &ear)),
                noted("battery", level(&bus, &BATTERY, &ear)),
            );
        }
        Err(error) => tracing::warn!(%error, "there is no system bus: what this computer says isn't heard"),
    }
}

/// Notes why nothing more is heard of something.
async fn noted(what: &'static str, listening: impl Future<Output = zbus::Result<()>>) {
    match listening.await {
        Ok(()) => tracing::warn!(what, "the system bus is gone"),
        Err(error) => tracing::warn!(what, %error, "the system doesn't say"),
    }
}

async fn sleep(bus: &Connection, ear: &Ear) -> zbus::Result<()> {
    let manager = proxy(bus, MANAGER.0, MANAGER.1).await?;
    let mut signals = manager.receive_signal("PrepareForSleep").await?;
    let mut stay = inhibit(&manager).await;
    while let Some(signal) = signals.next().await {
        // The signal's own word: whether sleep begins, or has ended.
        if signal.body().deserialize()? {
            say(ear, Said::Sleeps(Stay::new(stay.take())));
        } else {
            say(ear, Said::Woke);
            stay = inhibit(&manager).await;
        }
    }
    Ok(())
}

/// Sleep waits for as long as the answer is kept, some seconds at most.
async fn inhibit(manager: &Proxy<'_>) -> Option<OwnedFd> {
    let why = ("sleep", "Bedside", "Locking what is cached", "delay");
    match manager.call("Inhibit", &why).await {
        Ok(stay) => Some(stay),
        Err(error) => {
            tracing::warn!(%error, "the computer won't wait before it sleeps");
            None
        }
    }
}

async fn session(bus: &Connection, ear: &Ear) -> zbus::Result<()> {
    let path = own_session(bus).await?;
    let session = proxy(bus, path.as_str(), "org.freedesktop.login1.Session").await?;
    let locks = session.receive_signal("Lock").await?;
    let changes = properties(bus, LOGIND, path.as_str()).await?.receive_properties_changed().await?;
    let changes = changes.filter_map(|change| ready(of_session(&change)));
    let mut all = select(locks.map(|_| Said::Locked), changes);
    while let Some(said) = all.next().await {
        say(ear, said);
    }
    Ok(())
}

/// The session that the program belongs to, or else the one that its user looks at: what a user's own service manager
/// starts belongs to none.
async fn own_session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let manager = proxy(bus, MANAGER.0, MANAGER.1).await?;
    let me = std::process::id();
    if let Ok(session) = manager.call("GetSessionByPID", &me).await {
        return Ok(session);
    }
    if let Ok(id) = std::env::var("XDG_SESSION_ID")
        && let Ok(session) = manager.call("GetSession", &id).await
    {
        return Ok(session);
    }
    let user: OwnedObjectPath = manager.call("GetUserByPID", &me).await?;
    let user = proxy(bus, user.as_str(), "org.freedesktop.login1.User").await?;
    let (id, session): (String, OwnedObjectPath) = user.get_property("Display").await?;
    if id.is_empty() { Err(zbus::Error::Failure("the user has no session".into())) } else { Ok(session) }
}

/// Desktops that lock themselves set the hint, without a signal.
fn of_session(change: &PropertiesChanged) -> Option<Said> {
    let change = change.args().ok()?;
    let told = |name, value| {
        let new = change.changed_properties().get(name).and_then(|new| bool::try_from(new).ok());
        new == Some(value)
    };
    if told("LockedHint", true) { Some(Said::Locked) } else { told("Active", false).then_some(Said::Left) }
}

/// Says each change of it. It isn't so at first, nor while nobody says that it is.
async fn level(bus: &Connection, level: &Level, ear: &Ear) -> zbus::Result<()> {
    let properties = properties(bus, level.service, level.path).await?;
    // Read anew after each sign that it may have changed: its service may come and go.
    let changes = properties.receive_properties_changed().await?.map(|_| ());
    let mut signs = select(changes, properties.inner().receive_owner_changed().await?.map(|_| ()));
    let mut so = false;
    loop {
        let value = properties.get(level.interface.try_into()?, level.property).await;
        let now = value.is_ok_and(|value| u32::try_from(value).is_ok_and(level.means));
        if so != now {
            so = now;
            say(ear, (level.say)(now));
        }
        if signs.next().await.is_none() {
            say(ear, (level.say)(false));
            return Ok(());
        }
    }
}

fn say(ear: &Ear, said: Said) {
    // Nobody hears it: this ends too.
    let _gone = ear.send(said);
}

async fn proxy<'a>(bus: &Connection, path: &'a str, interface: &'a str) -> zbus::Result<Proxy<'a>> {
    let proxy = zbus::proxy::Builder::new(bus).destination(LOGIND)?.path(path)?.interface(interface)?;
    proxy.cache_properties(CacheProperties::No).build().await
}

async fn properties<'a>(
    bus: &Connection,
    service: &'a str,
    path: &'a str,
) -> zbus::Result<PropertiesProxy<'a>> {
    PropertiesProxy::builder(bus).destination(service)?.path(path)?.build().await
}
