//! The console's core without a window, for tests that kill it: commands come in as JSON lines, and each is answered
//! by a line, in order.

use bedside_client::api::Command;
use bedside_client::{Client, Trust};
use clap::Parser;
use std::path::PathBuf;
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
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { data, ca_file } = Arguments::parse();
    let trust = match ca_file {
        Some(file) => Trust::with_authorities(&std::fs::read(file)?)?,
        None => Trust::system()?,
    };
    let client = Client::start(data, trust, &tokio::runtime::Handle::current())?;
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
