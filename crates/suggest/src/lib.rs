//! Advice that needs no model service: red-flag words, and replies from the clinic's own.
//! Pure functions: no IO, no clock, no chance; the same input gives the same advice on every machine.

pub mod measure;
pub mod redflags;
pub mod replies;
pub mod text;
mod turn;

pub use turn::{Turn, Who, turns};
