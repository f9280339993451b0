//! Advice that needs no model service: red-flag words.
//! Pure functions: no IO, no clock, no chance; the same input gives the same advice on every machine.

pub mod redflags;
pub mod text;
