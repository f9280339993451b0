//! The command line.

use bedside_protocol::{ClinicId, Limits, UserId};
use bedside_server::token::TokenRole;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Bedside's chat server: takes patients' and providers' messages, keeps them, and delivers them.
///
/// It serves the patients' page at /, the providers' consoles and patients at /socket.io/, and /healthz, /readyz and
/// /metrics to whoever watches over it. Put a TLS proxy before it wherever it is reached over a network.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub serve: Serve,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Args)]
pub struct Serve {
    /// Where to listen, as 127.0.0.1:8790; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8790")]
    pub listen: SocketAddr,
    /// Where to keep the log, the files and the key that signs tokens
    #[arg(long, value_name = "DIR", default_value = "bedside-data")]
    pub data: PathBuf,
    /// Let anybody sign in to a clinic of made-up people; on loopback only
    #[arg(long)]
    pub demo: bool,
    /// Milliseconds between heartbeats
    #[arg(long, value_name = "MS", default_value_t = bedside_server::HEARTBEAT_MS,
          value_parser = clap::value_parser!(u32).range(100..=600_000))]
    pub heartbeat_ms: u32,
    /// Messages a second that one socket may sustain; twice as many in a burst
    #[arg(long, value_name = "N", default_value_t = Limits::default().sends_per_s,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sends_per_s: u32,
    /// Largest file in bytes, 1 GiB at most; 0 takes no files
    #[arg(long, value_name = "N", default_value_t = Limits::default().file_bytes.unwrap_or_default(),
          value_parser = clap::value_parser!(u32).range(0..=1 << 30))]
    pub file_bytes: u32,
    /// Model services to ask for suggestions (see docs/services.md)
    #[arg(long, value_name = "FILE")]
    pub services: Option<PathBuf>,
    /// What to log, to standard error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log: Level,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Subcommand)]
pub enum Command {
    /// Sign a token, for a clinic's identity system or by hand
    Token(Token),
}

#[derive(Args)]
pub struct Token {
    /// The server's data directory, whose key signs
    #[arg(long, value_name = "DIR", default_value = "bedside-data")]
    pub data: PathBuf,
    /// What its bearer may be
    #[arg(long)]
    pub role: Role,
    /// The person's id within the clinic
    #[arg(long)]
    pub id: String,
    /// The name to show
    #[arg(long)]
    pub name: String,
    /// The clinic's id
    #[arg(long)]
    pub clinic: String,
    /// A patient's date of birth, YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub born: Option<String>,
    /// Days until it ends, 3650 at most
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub days: u64,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Role {
    Provider,
    Patient,
    Admin,
    Service,
}

impl From<Role> for TokenRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Provider => TokenRole::Provider,
            Role::Patient => TokenRole::Patient,
            Role::Admin => TokenRole::Admin,
            Role::Service => TokenRole::Service,
        }
    }
}

/// A day that there is, as it is written on the wire.
fn date(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "a date is written YYYY-MM-DD, as in 1957-03-12";
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let (Some(year), Some(month), Some(day), true) = (digits(0..4), digits(5..7), digits(8..10), dashes)
    else {
        return Err(WRONG);
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(WRONG),
    };
    if (1..=days).contains(&day) && 1900 <= year { Ok(text.to_owned()) } else { Err("there is no such day") }
}

impl Token {
    /// The ids, if they are some.
    pub fn ids(&self) -> Result<(UserId, ClinicId), bedside_protocol::InvalidId> {
        Ok((UserId::new(&self.id)?, ClinicId::new(&self.clinic)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_that_there_are() {
        for (text, good) in [
            ("1957-03-12", true),
            ("2024-02-29", true),
            ("2023-02-29", false),
            ("12/03/1957", false),
            ("1957-3-12", false),
            ("1957-13-01", false),
            ("1957-00-01", false),
            ("1957-04-31", false),
            ("0057-04-30", false),
            ("1957-03-1\u{e9}", false),
            ("", false),
        ] {
            assert_eq!(date(text).is_ok(), good, "{text}");
        }
    }
}
