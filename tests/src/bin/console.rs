//! The console's core without a window, for tests that kill it: commands come in as JSON lines, and each is answered
//! by a line, in order.

use bedside_client::api::Command;
use bedside_client::{Client, NoDoorkeeper, NoMachine, Policy, Setup, Trust};
use bedside_tests::keychain::FileKeychain;
use clap::Parser;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};

/// Runs the console's core until its standard input ends.
#[derive(Parser)]
struct Arguments {
    /// The cache's folder.
    #[arg(long)]
    data: PathBuf,
    /// A certificate authority to trust besides the system's.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Keep the keys in the system's keychain too, for a window that takes the cache over.
    #[arg(long)]
    system_keychain: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { data, ca_file, system_keychain } = Arguments::parse();
    let trust = match ca_file {
        Some(file) => Trust::with_authorities(&std::fs::read(file)?)?,
        None => Trust::system()?,
    };
    let mut keychain = FileKeychain::of(&data);
    if system_keychain {
        keychain = keychain.and_system();
    }
    let (keychain, policy) = (Arc::new(keychain), Policy::default());
    let (doorkeeper, machine) = (Arc::new(NoDoorkeeper), Arc::new(NoMachine));
    let setup = Setup { folder: data, keychain, policy, trust, doorkeeper, machine };
    let client = Client::start(setup, &tokio::runtime::Handle::current())?;
    let mut lines = BufReader::new(stdin()).lines();
    let mut out = stdout();
    while let Some(line) = lines.next_line().await? {
        let command: Command = serde_json::from_str(&line)?;
        let mut answer = serde_json::to_vec(&client.call(command).await)?;
        answer.push(b'\n');
        out.write_all(&answer).await?;
        out.flush().await?;
    }
    Ok(())
}
