//! `bedside-server`: starts a server, or signs a token.

mod cli;

use bedside_protocol::Limits;
use bedside_server::services::Settings;
use bedside_server::tasks::Kinds;
use bedside_server::token::{Claims, Key, random_id};
use bedside_server::{Clock, Config, Server, SystemClock};
use clap::Parser;
use cli::{Cli, Command, Level, Role, Serve, Token};
use std::error::Error;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Libraries that would log what frames say.
const QUIET: &str = "socketioxide=off,engineioxide=off,tungstenite=off,tokio_tungstenite=off,hyper=off";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Token(token)) => mint(token),
        None => serve(cli.serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(stderr(), "bedside-server: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let level = match arguments.log {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{level},{QUIET}")))
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let config = Config::new(arguments.data);
    let tasks = match arguments.services {
        Some(file) => Kinds::with_services(&Settings::read(&file)?, &config.clock)?,
        None => Kinds::default(),
    };
    let server = Server::start(Config {
        listen: arguments.listen,
        demo: arguments.demo,
        tasks,
        heartbeat_ms: arguments.heartbeat_ms,
        limits: Limits {
            sends_per_s: arguments.sends_per_s,
            file_bytes: Some(arguments.file_bytes).filter(|bytes| *bytes > 0),
            ..Limits::default()
        },
        ..config
    })
    .await?;
    if !arguments.listen.ip().is_loopback() {
        tracing::warn!(
            "plain HTTP is open to the network: put a TLS proxy before it, and let nothing else reach it"
        );
    }
    writeln!(stdout(), "listening on http://{}", server.addr())?;
    stdout().flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

fn mint(token: Token) -> Result<(), Box<dyn Error>> {
    let (sub, clinic) = token.ids()?;
    let now = SystemClock.now().millis() / 1000;
    if token.born.is_some() && !matches!(token.role, Role::Patient) {
        return Err("--born is a patient's date of birth".into());
    }
    let at_data = |error| format!("the data directory {}: {error}", token.data.display());
    std::fs::create_dir_all(&token.data).map_err(at_data)?;
    let known = Key::exists(&token.data);
    let key = Key::of(&token.data).map_err(at_data)?;
    if !known {
        writeln!(
            stderr(),
            "made a new key in {}: only a server with this --data takes the token",
            token.data.display()
        )?;
    }
    let claims = Claims {
        sub,
        name: token.name,
        role: token.role.into(),
        clinic,
        born: token.born,
        iat: now,
        exp: now + token.days * 24 * 60 * 60,
        jti: random_id()?,
    };
    writeln!(stdout(), "{}", key.mint(&claims))?;
    Ok(())
}
