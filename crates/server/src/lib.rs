//! Bedside's chat server.
//!
//! ```text
//!            packet                 frame                  write
//! socket.rs ────────> door.rs ──────────────> serve.rs ──────────────> writer.rs ──> log/
//!    ^                measures, limits, reads   one task a socket,       one thread,   one transaction
//!    │                                          frames in their order    group commit  a batch
//!    └──────────────────────── session.rs <──── hub.rs <─────────────────────┘
//!                  frames                       who gets what, in the order of the commits
//! ```
//!
//! What needs a model is written as a row with its message, and worked on afterwards in tasks/, which may ask services/.
//! The bytes of files come and go over HTTP, and lie in blobs.rs beside the log.
//! What reads goes from serve.rs by readers.rs to the log's reading sides. What a patient may see is view.rs.

mod asker;
mod blobs;
mod clock;
mod config;
mod door;
mod http;
mod hub;
pub mod log;
mod metrics;
mod net;
mod rate;
mod readers;
mod serve;
mod server;
pub mod services;
mod session;
mod shared;
mod socket;
pub mod tasks;
pub mod token;
mod view;
mod writer;

pub use clock::{Clock, SystemClock};
pub use config::{Config, HEARTBEAT_MS, PORT, StartError};
pub use server::Server;
