//! `factorial-reaper` as a program.

use std::ffi::OsString;
use std::process::ExitCode;

use factorial_core::Store;
use factorial_service::config::ReaperRole;
use factorial_service::{Process, Program, store_options, watch_redis};

use crate::options::reaper_options;

const PROGRAM: Program = Program {
    name: "factorial-reaper",
    about: "Promotes due tasks, recovers expired leases, enforces deadlines, expires finished tasks",
    min_threads: 1,
};

/// Serves as `args` say, the first being the name of the program, until the process is told to stop.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    PROGRAM.run(args, serve)
}

async fn serve(config: ReaperRole, process: &Process) -> anyhow::Result<()> {
    let redis = store_options(&config.redis, &config.metrics)?;
    let store = Store::connect(&redis).await?;
    let _redis = watch_redis(store.clone(), redis, &process.health);
    let options = reaper_options(&config.maintenance, &config.recovery, &config.webhooks);
    crate::run(store, options, &process.health, &process.shutdown).await?;
    Ok(())
}
