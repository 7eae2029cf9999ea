//! `factorial-gateway` as a program.

use std::ffi::OsString;
use std::process::ExitCode;

use factorial_core::Store;
use factorial_rest::{Access, Tls};
use factorial_service::config::GatewayRole;
use factorial_service::{Process, Program, listen, store_options, watch_redis};

const PROGRAM: Program = Program {
    name: "factorial-gateway",
    about: "REST and event streams for clients",
    min_threads: 1,
};

/// Serves as `args` say, the first being the name of the program, until the process is told to stop.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    PROGRAM.run(args, serve)
}

async fn serve(config: GatewayRole, process: &Process) -> anyhow::Result<()> {
    let ready = process.health.component("gateway");
    let listener = listen(&config.gateway.host, config.gateway.port, "gateway").await?;
    let tls = Tls::load(&config.tls)?;
    let access = Access::new(&config.auth, listener.local_addr()?)?;
    let redis = store_options(&config.redis, &config.metrics)?;
    let store = Store::connect(&redis).await?;
    let _redis = watch_redis(store.clone(), redis, &process.health);
    tracing::info!(address = %listener.local_addr()?, "gateway listens");
    ready.ready(true);
    let draining = async {
        process.shutdown.drain.cancelled().await;
        ready.ready(false);
    };
    let running = crate::run(
        listener,
        store,
        &config.gateway,
        access,
        tls,
        &process.shutdown,
    );
    tokio::join!(running, draining);
    Ok(())
}
