//! `factorial-dashboard` as a program.

use std::ffi::OsString;
use std::process::ExitCode;

use factorial_core::Store;
use factorial_rest::{Access, Tls};
use factorial_service::config::DashboardRole;
use factorial_service::{Process, Program, listen, store_options, watch_redis};

use crate::options::DashboardOptions;

const PROGRAM: Program = Program {
    name: "factorial-dashboard",
    about: "Serves the web dashboard",
    min_threads: 1,
};

/// Serves as `args` say, the first being the name of the program, until the process is told to stop.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    PROGRAM.run(args, serve)
}

async fn serve(config: DashboardRole, process: &Process) -> anyhow::Result<()> {
    let observability = &config.observability;
    if !observability.enabled {
        // Ending here would look like a crash to whoever restarts processes that end.
        process.health.component("dashboard").ready(true);
        tracing::warn!("dashboard disabled, serving the admin port only");
        process.shutdown.drain.cancelled().await;
        return Ok(());
    }
    let listener = listen(&observability.host, observability.port, "dashboard").await?;
    let tls = Tls::load(&config.tls)?;
    let access = Access::new(&config.auth, listener.local_addr()?)?;
    let redis = store_options(&config.redis, &config.metrics)?;
    let store = Store::connect(&redis).await?;
    let _redis = watch_redis(store.clone(), redis, &process.health);
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
    crate::run(
        listener,
        store,
        options,
        access,
        tls,
        &process.health,
        &process.shutdown,
    )
    .await?;
    Ok(())
}
