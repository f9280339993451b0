//! The console's core.

pub mod api;
pub mod socket;
