//! `factorial-gateway`: REST and event streams for clients.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Command;
use factorial_core::Store;
use factorial_service::{
    Health, Shutdown,
    config::{Environment, GatewayRole, from_command_line},
    run_admin, store_options, telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Command::new("factorial-gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .about("REST and event streams for clients");
    let environment = Environment::of_process();
    let config = match from_command_line::<GatewayRole>(command, std::env::args_os(), &environment)
    {
        Ok(config) => config,
        Err(code) => return code,
    };
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(serve(&config)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factorial-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: &GatewayRole) -> anyhow::Result<()> {
    let metrics = telemetry::init(&config.log, "factorial-gateway")?;
    let shutdown = Shutdown::from_signals()?;
    let health = Health::new();
    let ready = health.component("gateway");
    let admin = bind(&config.admin.host, config.admin.port, "admin").await?;
    tracing::info!(address = %admin.local_addr()?, "admin port listens");
    let stop_admin = CancellationToken::new();
    let admin = tokio::spawn(run_admin(admin, health, metrics, stop_admin.clone()));

    let store = Store::connect(&store_options(&config.redis, &config.metrics)?).await?;
    let listener = bind(&config.gateway.host, config.gateway.port, "gateway").await?;
    tracing::info!(address = %listener.local_addr()?, "gateway listens");
    ready.ready(true);
    let draining = async {
        shutdown.drain.cancelled().await;
        ready.ready(false);
    };
    let running = factorial_gateway::run(listener, store, &config.gateway, &shutdown);
    tokio::join!(running, draining);
    stop_admin.cancel();
    admin.await??;
    Ok(())
}

async fn bind(host: &str, port: u16, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port))
        .await
        .with_context(|| format!("cannot listen on {host}:{port} ({what})"))
}
