//! The console's core.

pub mod api;
