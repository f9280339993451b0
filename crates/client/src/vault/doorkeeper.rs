//! Who can say that it is this computer's user who wants in.

use std::sync::Arc;

/// Why somebody isn't let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLetIn {
    /// Nobody can be asked.
    #[error("the system can't be asked who somebody is")]
    Absent,
    /// It isn't the user, or the user may not.
    #[error("the system says no")]
    Refused,
    /// The person who was asked turned away.
    #[error("nobody said who they are")]
    Dismissed,
}

/// The system's own sign-in, asked from a running session.
pub trait Doorkeeper: Send + Sync + std::fmt::Debug {
    /// Whether it can be asked now.
    fn is_there(&self) -> bool;
    /// Asks the person at the computer who they are, and waits for the answer.
    fn ask(&self) -> Result<(), NotLetIn>;
}

/// A doorkeeper that can be shared.
pub type SharedDoorkeeper = Arc<dyn Doorkeeper>;

/// There is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDoorkeeper;

impl Doorkeeper for NoDoorkeeper {
    fn is_there(&self) -> bool {
        false
    }

    fn ask(&self) -> Result<(), NotLetIn> {
        Err(NotLetIn::Absent)
    }
}

/// The doorkeeper of the system that this runs on.
pub fn system_doorkeeper() -> SharedDoorkeeper {
    #[cfg(target_os = "linux")]
    return Arc::new(super::Polkit::default());
    #[cfg(not(target_os = "linux"))]
    Arc::new(NoDoorkeeper)
}
