//! `factorial-reaper`: due tasks, recovery, deadlines, expiry, reconciliation, gauges.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Command;
use factorial_core::Store;
use factorial_reaper::reaper_options;
use factorial_service::{
    Health, Shutdown,
    config::{Environment, ReaperRole, from_command_line},
    run_admin, store_options, telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::new("factorial-reaper")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Promotes due tasks, recovers expired leases, enforces deadlines, expires finished tasks");
    let config = match from_command_line::<ReaperRole>(
        command,
        std::env::args_os(),
        &Environment::of_process(),
    ) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factorial-reaper: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: ReaperRole) -> anyhow::Result<()> {
    let metrics = telemetry::init(&config.log, "factorial-reaper")?;
    let shutdown = Shutdown::from_signals()?;
    let health = Health::new();
    let admin = TcpListener::bind((config.admin.host.as_str(), config.admin.port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on {}:{} (admin)",
                config.admin.host, config.admin.port
            )
        })?;
    let stop_admin = CancellationToken::new();
    let admin = tokio::spawn(run_admin(
        admin,
        health.clone(),
        metrics,
        stop_admin.clone(),
    ));
    let store = Store::connect(&store_options(&config.redis, &config.metrics)?).await?;
    let options = reaper_options(&config.maintenance, &config.recovery, &config.webhooks);
    factorial_reaper::run(store, options, &health, &shutdown).await?;
    stop_admin.cancel();
    Ok(admin.await??)
}
