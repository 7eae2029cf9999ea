//! The simulated model server as a process of its own.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use crate::{Args, listen, serve};

/// Serves as `args` say, the first being the name of the program, until Ctrl-C.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    let args = Args::parse_from(args);
    let served = tokio::runtime::Runtime::new()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(serve_until_interrupted(&args)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factorial-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve_until_interrupted(args: &Args) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
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
