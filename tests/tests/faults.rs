//! Real processes over real sockets, through everything that goes wrong: crashes, standstills, bad networks, bad disks.
//! In the end the server's log and each console's cache are equal, and hold each accepted message once, in its writer's
//! order, where it belongs.
//!
//! `BEDSIDE_FAULTS=N` multiplies messages, kills and cuts by N, for runs by hand; `BEDSIDE_FAULTS=N,M` multiplies the
//! messages by M instead.
//!
//! On Linux alone: processes are found in /proc, and disks are filled as root.
#![cfg(target_os = "linux")]

#[path = "faults/check.rs"]
mod check;
#[path = "faults/crashes.rs"]
mod crashes;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/disks.rs"]
mod disks;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/process.rs"]
mod process;
#[path = "faults/scene.rs"]
mod scene;
#[path = "faults/writing.rs"]
mod writing;
