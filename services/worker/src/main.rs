//! `factorial-worker`: claims tasks and runs their turns.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::Command;
use factorial_service::{
    Health, Shutdown,
    config::{Environment, WorkerRole, from_command_line},
    run_admin, telemetry,
};
use factorial_worker::{functions, providers, runners, store_options, worker_id, worker_options};
use tokio::net::TcpListener;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Command::new("factorial-worker")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Claims tasks and runs their turns");
    let environment = Environment::of_process();
    let config = match from_command_line::<WorkerRole>(command, std::env::args_os(), &environment) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // More threads than cores: a tool that blocks one must not hold up the others.
    let threads = std::thread::available_parallelism().map_or(4, |n| n.get().max(4));
    let served = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(serve(config, environment)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factorial-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(mut config: WorkerRole, environment: Environment) -> anyhow::Result<()> {
    let metrics = telemetry::init(&config.log, "factorial-worker")?;
    let shutdown = Shutdown::from_signals()?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_else(|_| "localhost".to_owned());
    let (host, pid) = (host.trim(), std::process::id());
    let worker = worker_id(host, pid, ulid::Ulid::generate())?;
    if let Some(url) = config.keys.fall_back_to_simulated() {
        tracing::warn!(base_url = %url, "no model provider is configured, a simulated model makes up the replies");
    }
    let keys = providers(
        &config.keys,
        Arc::new(move |name: &str| environment.secret(name)),
    );
    let runners = runners(&config.worker, keys, functions(jiff::Timestamp::now))?;

    let health = Health::new();
    let admin = TcpListener::bind((config.admin.host.as_str(), config.admin.port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on {}:{} (admin)",
                config.admin.host, config.admin.port
            )
        })?;
    let stop_admin = tokio_util::sync::CancellationToken::new();
    let admin = tokio::spawn(run_admin(
        admin,
        health.clone(),
        metrics,
        stop_admin.clone(),
    ));
    let result = factorial_worker::run(
        store_options(&config.redis, &config.metrics)?,
        worker_options(host, pid, &config.worker, &config.recovery),
        worker,
        runners,
        &health,
        &shutdown,
    )
    .await;
    stop_admin.cancel();
    admin.await??;
    Ok(result?)
}
