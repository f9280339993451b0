//! Advice that needs no model service: red-flag words, replies from the clinic's own, next questions, summaries.
//! Pure functions: no IO, no clock, no chance; the same input gives the same advice on every machine.

pub mod measure;
mod numbers;
pub mod questions;
pub mod redflags;
pub mod replies;
pub mod summary;
pub mod text;
mod turn;

pub use turn::{Turn, Who, turns};
