//! One call of the load generator, from the server to the report.

use std::path::Path;

use crate::ceiling;
use crate::error::BenchError;
use crate::options::{Options, Surroundings};
use crate::progress::Progress;
use crate::report::{Report, Round};
use crate::scenario;
use crate::server::Server;
use crate::stage::Stage;

/// Measures a scenario: a warm-up that is not counted, then every repeat, each right after the ceilings that it is
/// compared with, since machines change their speed.
///
/// # Errors
/// When a part does not start or fails, or when a task was lost or repeated. What was started is ended.
pub async fn run(
    options: &Options,
    surroundings: &Surroundings,
    progress: &dyn Progress,
) -> Result<Report, BenchError> {
    if options.tasks == 0 || options.repeats == 0 || options.concurrency == 0 {
        let text = "tasks, repeats and concurrency must be at least 1";
        return Err(BenchError::Options(text.to_owned()));
    }
    if options.ceiling && !options.scenario.has_ceiling() {
        let text = format!("there is no ceiling for {}", options.scenario);
        return Err(BenchError::Options(text));
    }
    let dir = tempfile::Builder::new()
        .prefix("factorial-bench-")
        .tempdir()
        .map_err(|source| BenchError::Io {
            action: "make a temporary directory",
            source,
        })?;
    progress.begin("starting", 1);
    let server = Server::open(&options.target).await?;
    let measured = measure(options, surroundings, &server, progress, dir.path()).await;
    let closed = server.close().await;
    let report = measured?;
    closed?;
    Ok(report)
}

async fn measure(
    options: &Options,
    surroundings: &Surroundings,
    server: &Server,
    progress: &dyn Progress,
    dir: &Path,
) -> Result<Report, BenchError> {
    if options.warm_up > 0 {
        let warm_up = Options {
            tasks: options.warm_up,
            ceiling: false,
            ..options.clone()
        };
        round(&warm_up, surroundings, server, progress, dir).await?;
    }
    let mut rounds = Vec::with_capacity(options.repeats);
    for _ in 0..options.repeats {
        rounds.push(round(options, surroundings, server, progress, dir).await?);
    }
    Ok(Report::new(options, server.describe().await?, &rounds))
}

async fn round(
    options: &Options,
    surroundings: &Surroundings,
    server: &Server,
    progress: &dyn Progress,
    dir: &Path,
) -> Result<Round, BenchError> {
    let open = || Stage::open(options, surroundings, server, progress, dir);
    let mut ceiling = None;
    if options.ceiling {
        progress.begin("ceilings", 1);
        let stage = open().await?;
        let base = stage.ceiling_base();
        let payload = stage.payload();
        let measuring = ceiling::measure(server, &base, options.tasks, &payload);
        let measured = unless_stopped(surroundings, measuring).await;
        stage.clear().await?;
        ceiling = Some(measured?);
    }
    let (mut measures, mut checked) = (Vec::new(), 0);
    for part in scenario::parts(options.scenario) {
        let stage = open().await?;
        let done = unless_stopped(surroundings, scenario::perform(*part, &stage)).await;
        stage.clear().await?;
        let done = done?;
        measures.extend(done.measures);
        checked += done.checked;
    }
    Ok(Round {
        ceiling,
        measures,
        checked,
    })
}

/// Drops the work when somebody asks to stop, and with it the processes in it.
async fn unless_stopped<T>(
    surroundings: &Surroundings,
    work: impl Future<Output = Result<T, BenchError>>,
) -> Result<T, BenchError> {
    let done = surroundings.stop.run_until_cancelled(work).await;
    done.unwrap_or(Err(BenchError::Interrupted))
}
