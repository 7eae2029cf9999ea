//! A service as a program: its command line, log, metrics, traces, signals and admin port around what it serves.
//!
//! Every service's `main` is one call of [`Program::run`]. Invariant: the admin port listens before anything is served
//! and ends last, so probes are answered all the time.

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use clap::Command;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Health, Shutdown,
    config::{Environment, ServiceRole, from_command_line},
    run_admin, telemetry, trace,
};

/// A service by its name.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// How it is called, in messages, logs and traces as well.
    pub name: &'static str,
    /// What `--help` says of it.
    pub about: &'static str,
    /// Threads on a machine with fewer cores.
    pub min_threads: usize,
}

/// What a program that runs gives to what it serves.
#[derive(Debug)]
pub struct Process {
    /// Tells the probes of the admin port.
    pub health: Health,
    /// Follows the signals to the process.
    pub shutdown: Shutdown,
    /// The variables it was started with.
    pub environment: Environment,
}

impl Program {
    /// Reads the settings from `args`, the first being the name of the program, and serves until it is told to stop.
    pub fn run<T: ServiceRole>(
        self,
        args: Vec<OsString>,
        serve: impl AsyncFnOnce(T, &Process) -> anyhow::Result<()>,
    ) -> ExitCode {
        let command = Command::new(self.name)
            .version(env!("CARGO_PKG_VERSION"))
            .about(self.about);
        let environment = Environment::of_process();
        let role = match from_command_line::<T>(command, args, &environment) {
            Ok(role) => role,
            Err(code) => return code,
        };
        let cores = std::thread::available_parallelism().map_or(self.min_threads, usize::from);
        let served = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.max(self.min_threads))
            .enable_all()
            .build()
            .context("cannot start the runtime")
            .and_then(|runtime| runtime.block_on(self.attended(role, environment, serve)));
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error:#}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    async fn attended<T: ServiceRole>(
        self,
        role: T,
        environment: Environment,
        serve: impl AsyncFnOnce(T, &Process) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let metrics = telemetry::init(role.log(), self.name)?;
        let traces = role
            .telemetry()
            .map(|config| trace::start(config, self.name))
            .transpose()?;
        let process = Process {
            health: Health::new(),
            shutdown: Shutdown::from_signals()?,
            environment,
        };
        let admin = listen(&role.admin().host, role.admin().port, "admin").await?;
        tracing::info!(address = %admin.local_addr()?, "admin port listens");
        let stop = CancellationToken::new();
        let admin = tokio::spawn(run_admin(
            admin,
            process.health.clone(),
            metrics,
            stop.clone(),
        ));
        let served = serve(role, &process).await;
        if let Some(traces) = traces {
            traces.flush().await;
        }
        stop.cancel();
        served.and(admin.await?.context("the admin port failed"))
    }
}

/// Listens on a port of the service, which an error calls `what`.
///
/// # Errors
/// When the address is not this machine's, or taken.
pub async fn listen(host: &str, port: u16, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port))
        .await
        .with_context(|| format!("cannot listen on {host}:{port} ({what})"))
}
