//! `factorial-dashboard`: the web dashboard.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Command;
use factorial_core::Store;
use factorial_dashboard::DashboardOptions;
use factorial_service::config::{DashboardRole, Environment, from_command_line};
use factorial_service::{Health, Shutdown, run_admin, store_options, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::new("factorial-dashboard")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Serves the web dashboard");
    let environment = Environment::of_process();
    let config =
        match from_command_line::<DashboardRole>(command, std::env::args_os(), &environment) {
            Ok(config) => config,
            Err(code) => return code,
        };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factorial-dashboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: DashboardRole) -> anyhow::Result<()> {
    let metrics = telemetry::init(&config.log, "factorial-dashboard")?;
    let shutdown = Shutdown::from_signals()?;
    let health = Health::new();
    let admin = listen(&config.admin.host, config.admin.port, "admin").await?;
    let stop_admin = CancellationToken::new();
    let admin = tokio::spawn(run_admin(
        admin,
        health.clone(),
        metrics,
        stop_admin.clone(),
    ));
    let served = dashboard(&config, &health, &shutdown).await;
    stop_admin.cancel();
    admin.await??;
    served
}

async fn dashboard(
    config: &DashboardRole,
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let observability = &config.observability;
    if !observability.enabled {
        // Ending here would look like a crash to whoever restarts processes that end.
        health.component("dashboard").ready(true);
        tracing::warn!("dashboard disabled, serving the admin port only");
        shutdown.drain.cancelled().await;
        return Ok(());
    }
    let listener = listen(&observability.host, observability.port, "dashboard").await?;
    let store = Store::connect(&store_options(&config.redis, &config.metrics)?).await?;
    tracing::info!(address = %listener.local_addr()?, "dashboard listening");
    let options = DashboardOptions {
        name: observability.dashboard_name.clone(),
        api_docs: None,
        cors_origins: observability
            .cors_origins
            .iter()
            .map(|origin| origin.as_str().to_owned())
            .collect(),
    };
    factorial_dashboard::run(listener, store, options, health, shutdown).await?;
    Ok(())
}

async fn listen(host: &str, port: u16, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port))
        .await
        .with_context(|| format!("cannot listen on {host}:{port} ({what})"))
}
