//! What the computer tells the console: that it goes to sleep, that its screen is locked or another user's, what its line
//! costs, how its battery does. A computer that says nothing leaves the idle lock, and a sleep that shows afterwards.

#[cfg(all(unix, not(target_os = "macos")))]
mod bus;
mod hear;

use futures_util::future::BoxFuture;
pub(crate) use hear::{LEAVE_TO_SLEEP_MS, Strain};
use std::any::Any;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a computer says.
#[derive(Debug)]
pub enum Said {
    /// It goes to sleep, and waits for a moment as long as this is kept.
    Sleeps(Stay),
    /// It is awake again.
    Woke,
    /// The user's session was locked.
    Locked,
    /// Another user's session is on the screen.
    Left,
    /// Whether what goes over the network costs something.
    Metered(bool),
    /// Whether its battery is low, and nothing charges it.
    LowBattery(bool),
}

/// Keeps a computer from sleeping until it is dropped, if the system grants that.
#[derive(Debug)]
pub struct Stay {
    _until_dropped: Box<dyn Any + Send>,
}

impl Stay {
    /// One that ends as this value does.
    pub fn new(until_dropped: impl Any + Send) -> Self {
        Self { _until_dropped: Box::new(until_dropped) }
    }
}

/// Who hears what a computer says.
pub type Ear = mpsc::UnboundedSender<Said>;

/// A computer, as far as it speaks.
pub trait Machine: std::fmt::Debug + Send + Sync {
    /// Says what there is to say for as long as this runs; it may end before.
    fn speak(&self, ear: Ear) -> BoxFuture<'static, ()>;
}

/// A computer that can be shared.
pub type SharedMachine = Arc<dyn Machine>;

/// This one: on Linux what logind, NetworkManager and UPower say. Elsewhere it says nothing.
#[derive(Clone, Debug, Default)]
pub struct SystemMachine {
    bus: Option<String>,
}

impl SystemMachine {
    /// One whose system bus has this address.
    pub fn at(bus: &str) -> Self {
        Self { bus: Some(bus.to_owned()) }
    }
}

impl Machine for SystemMachine {
    #[cfg(all(unix, not(target_os = "macos")))]
    fn speak(&self, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(bus::listen(self.bus.clone(), ear))
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn speak(&self, ear: Ear) -> BoxFuture<'static, ()> {
        tracing::info!(bus = ?self.bus, "what this computer says can't be heard");
        NoMachine.speak(ear)
    }
}

/// One that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMachine;

impl Machine for NoMachine {
    fn speak(&self, _: Ear) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
