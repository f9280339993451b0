//! A made-up computer: logind, NetworkManager and UPower of a test, on a real bus of its own.

use crate::desktop;
use crate::program::{Program, SOON};
use bedside_client::SystemMachine;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};
use zbus::{Connection, connection, fdo, interface};

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "/org/freedesktop/login1";
const USER: &str = "/org/freedesktop/login1/user/_31000";
const SESSION: &str = "/org/freedesktop/login1/session/_34";
const NETWORK: &str = "/org/freedesktop/NetworkManager";
const BATTERY: &str = "/org/freedesktop/UPower/devices/DisplayDevice";

/// A computer. It is gone when this is dropped.
#[derive(Debug)]
pub struct Computer {
    address: String,
    login: Connection,
    network: Connection,
    power: Connection,
    stays: mpsc::UnboundedReceiver<UnixStream>,
    bus: Program,
    _folder: TempDir,
}

/// As what the console was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// As a part of the user's session.
    InSession,
    /// By the user's service manager, which is in none.
    ByUser,
}

/// What keeps the computer from sleeping.
#[derive(Debug)]
pub struct Stay(tokio::net::UnixStream);

impl Stay {
    /// Waits until it is let go of.
    pub async fn ended(mut self) {
        let read = timeout(SOON, self.0.read(&mut [0])).await.expect("the computer may sleep in the end");
        assert_eq!(read.expect("a socket"), 0, "nobody writes into it");
    }
}

impl Computer {
    /// One whose network costs nothing, and whose battery is full.
    pub async fn start(started: Started) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (bus, address) = desktop::bus(&folder);
        let (sender, stays) = mpsc::unbounded_channel();
        let on_bus = |name| {
            let bus = connection::Builder::address(address.as_str()).expect("an address");
            bus.name(name).expect("a name")
        };
        let login = on_bus(LOGIND).serve_at(MANAGER, Manager { started, stays: sender });
        let login = login.and_then(|login| login.serve_at(USER, User)).expect("a path");
        let network = on_bus("org.freedesktop.NetworkManager").serve_at(NETWORK, Network(4));
        let power = on_bus("org.freedesktop.UPower").serve_at(BATTERY, Battery(1));
        Self {
            login: login.build().await.expect("the bus"),
            network: network.expect("a path").build().await.expect("the bus"),
            power: power.expect("a path").build().await.expect("the bus"),
            stays,
            address,
            bus,
            _folder: folder,
        }
    }

    /// As a console has it.
    pub fn machine(&self) -> SystemMachine {
        SystemMachine::at(&self.address)
    }

    /// The next that wants to be asked before it sleeps.
    pub async fn stay(&mut self) -> Stay {
        let stay = timeout(SOON, self.stays.recv()).await.expect("somebody asks").expect("logind runs");
        stay.set_nonblocking(true).expect("a socket");
        Stay(tokio::net::UnixStream::from_std(stay).expect("a socket"))
    }

    /// It is about to sleep, or awake again.
    pub async fn sleeps(&self, begins: bool) {
        self.login_says(MANAGER, "Manager", "PrepareForSleep", &(begins)).await;
    }

    /// Somebody asks for the session to be locked.
    pub async fn lock_session(&self) {
        self.login_says(SESSION, "Session", "Lock", &()).await;
    }

    /// A property of the session is another now.
    pub async fn session_is(&self, property: &str, value: bool) {
        let changed = HashMap::from([(property, Value::from(value))]);
        let body = (format!("{LOGIND}.Session"), changed, Vec::<&str>::new());
        let interface = "org.freedesktop.DBus.Properties";
        let said = self.login.emit_signal(None::<&str>, SESSION, interface, "PropertiesChanged", &body);
        said.await.expect("the bus");
    }

    /// What NetworkManager says of the network.
    pub async fn metered(&self, value: u32) {
        let server = self.network.object_server().interface::<_, Network>(NETWORK).await.expect("served");
        let mut network = server.get_mut().await;
        network.0 = value;
        network.metered_changed(server.signal_emitter()).await.expect("the bus");
    }

    /// What UPower says of the battery.
    pub async fn battery(&self, warning: u32) {
        let server = self.power.object_server().interface::<_, Battery>(BATTERY).await.expect("served");
        let mut battery = server.get_mut().await;
        battery.0 = warning;
        battery.warning_level_changed(server.signal_emitter()).await.expect("the bus");
    }

    /// NetworkManager ends.
    pub async fn loses_network_manager(&self) {
        self.network.release_name("org.freedesktop.NetworkManager").await.expect("the bus");
    }

    /// The bus ends.
    pub fn loses_bus(&mut self) {
        self.bus.kill();
    }

    async fn login_says<B>(&self, path: &str, interface: &str, signal: &str, body: &B)
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let interface = format!("{LOGIND}.{interface}");
        self.login.emit_signal(None::<&str>, path, interface, signal, body).await.expect("the bus");
    }
}

struct Manager {
    started: Started,
    stays: mpsc::UnboundedSender<UnixStream>,
}

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(
        &self,
        what: &str,
        _who: &str,
        _why: &str,
        mode: &str,
    ) -> fdo::Result<zbus::zvariant::OwnedFd> {
        if (what, mode) != ("sleep", "delay") {
            return Err(fdo::Error::AccessDenied("only sleep, only for a while".into()));
        }
        let (ours, theirs) = UnixStream::pair().map_err(|error| fdo::Error::IOError(error.to_string()))?;
        drop(self.stays.send(ours));
        Ok(OwnedFd::from(theirs).into())
    }

    #[zbus(name = "GetSessionByPID")]
    fn session_by_pid(&self, pid: u32) -> fdo::Result<OwnedObjectPath> {
        match self.started {
            Started::InSession if pid == std::process::id() => Ok(path(SESSION)),
            _ => Err(fdo::Error::Failed("no session for this process".into())),
        }
    }

    /// The tests may run in a session of their own, which isn't this computer's.
    #[zbus(name = "GetSession")]
    fn session(&self, _id: &str) -> fdo::Result<OwnedObjectPath> {
        Err(fdo::Error::Failed("no such session".into()))
    }

    #[zbus(name = "GetUserByPID")]
    fn user_by_pid(&self, _pid: u32) -> OwnedObjectPath {
        path(USER)
    }
}

struct User;

#[interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        ("4".into(), path(SESSION))
    }
}

struct Network(u32);

#[interface(name = "org.freedesktop.NetworkManager")]
impl Network {
    #[zbus(property)]
    fn metered(&self) -> u32 {
        self.0
    }
}

struct Battery(u32);

#[interface(name = "org.freedesktop.UPower.Device")]
impl Battery {
    #[zbus(property)]
    fn warning_level(&self) -> u32 {
        self.0
    }
}

fn path(path: &'static str) -> OwnedObjectPath {
    ObjectPath::from_static_str_unchecked(path).into()
}
