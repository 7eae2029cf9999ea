//! `factorial-worker` as a program.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use factorial_service::config::WorkerRole;
use factorial_service::{Process, Program};

use crate::identity::worker_id;
use crate::settings::{functions, providers, runners, store_options, worker_options};

const PROGRAM: Program = Program {
    name: "factorial-worker",
    about: "Claims tasks and runs their turns",
    // More threads than cores: a tool that blocks one must not hold up the others.
    min_threads: 4,
};

/// Serves as `args` say, the first being the name of the program, until the process is told to stop.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    PROGRAM.run(args, serve)
}

async fn serve(mut config: WorkerRole, process: &Process) -> anyhow::Result<()> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_else(|_| "localhost".to_owned());
    let (host, pid) = (host.trim(), std::process::id());
    let worker = worker_id(host, pid, ulid::Ulid::generate())?;
    if let Some(url) = config.keys.fall_back_to_simulated() {
        tracing::warn!(base_url = %url, "no model provider is configured, a simulated model makes up the replies");
    }
    let environment = process.environment.clone();
    let keys = providers(
        &config.keys,
        Arc::new(move |name: &str| environment.secret(name)),
    );
    let runners = runners(&config.worker, keys, functions(jiff::Timestamp::now))?;
    crate::run(
        store_options(&config.redis, &config.metrics)?,
        worker_options(host, pid, &config.worker, &config.recovery),
        worker,
        runners,
        &process.health,
        &process.shutdown,
    )
    .await?;
    Ok(())
}
