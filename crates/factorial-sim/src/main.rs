//! The `factorial-sim` command: the simulated model server as a process of its own, until Ctrl-C.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use clap::Parser as _;
use factorial_sim::{Args, listen, serve};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let args = Args::parse();
    let listener =
        listen(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    tracing::info!(base_url = %format_args!("http://{address}/v1"), "simulated model listening");

    let shutdown = CancellationToken::new();
    let on_signal = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_signal.cancel();
        }
    });
    serve(listener, args.config(), shutdown).await?;
    Ok(())
}
