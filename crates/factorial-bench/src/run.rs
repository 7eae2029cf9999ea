//! One call of the load generator, from the server to the report.

use std::path::Path;

use crate::ceiling;
use crate::error::BenchError;
use crate::options::{Options, Surroundings, Target};
use crate::progress::Progress;
use crate::remote::Remote;
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
    judge(options)?;
    if let Target::Gateway(deployment) = &options.target {
        progress.begin("connecting", 1);
        let remote = Remote::open(deployment, surroundings).await?;
        let rounds = rounds(options, async |options| {
            remote.round(options, progress).await
        });
        let rounds = rounds.await?;
        return Ok(Report::new(options, remote.describe(), &rounds));
    }
    let dir = tempfile::Builder::new()
        .prefix("factorial-bench-")
        .tempdir()
        .map_err(|source| BenchError::Io {
            action: "make a temporary directory",
            source,
        })?;
    progress.begin("starting", 1);
    let url = match &options.target {
        Target::Redis(url) => Some(url.as_str()),
        _ => None,
    };
    let server = Server::open(url).await?;
    let measured = rounds(options, async |options| {
        round(options, surroundings, &server, progress, dir.path()).await
    });
    let measured = measured.await;
    let described = server.describe().await;
    let closed = server.close().await;
    let report = Report::new(options, described?, &measured?);
    closed?;
    Ok(report)
}

fn judge(options: &Options) -> Result<(), BenchError> {
    let refuse = |text: String| Err(BenchError::Options(text));
    let scenario = options.scenario;
    if options.tasks == 0 || options.repeats == 0 || options.concurrency == 0 {
        return refuse("tasks, repeats and concurrency must be at least 1".to_owned());
    }
    if options.ceiling && !scenario.has_ceiling() {
        return refuse(format!("there is no ceiling for {scenario}"));
    }
    let is_deployed = matches!(options.target, Target::Gateway(_));
    if is_deployed && !scenario.is_remote() {
        return refuse(format!(
            "{scenario} starts and watches processes of its own: it needs --self or --redis-url instead of --agent"
        ));
    }
    if is_deployed && options.ceiling {
        return refuse(
            "ceilings are measured on a Redis that may be written to: --ceiling needs --self or --redis-url without \
             --agent"
                .to_owned(),
        );
    }
    if is_deployed && options.partitions != 1 {
        return refuse("a deployment has its own number of partitions".to_owned());
    }
    Ok(())
}

/// The warm-up and the repeats.
async fn rounds(
    options: &Options,
    round: impl AsyncFn(&Options) -> Result<Round, BenchError>,
) -> Result<Vec<Round>, BenchError> {
    if options.warm_up > 0 {
        let warm_up = Options {
            tasks: options.warm_up,
            ceiling: false,
            ..options.clone()
        };
        round(&warm_up).await?;
    }
    let mut rounds = Vec::with_capacity(options.repeats);
    for _ in 0..options.repeats {
        rounds.push(round(options).await?);
    }
    Ok(rounds)
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
        let measured = surroundings.unless_stopped(measuring).await;
        stage.clear().await?;
        ceiling = Some(measured?);
    }
    let (mut measures, mut checked) = (Vec::new(), 0);
    for part in scenario::parts(options.scenario) {
        let stage = open().await?;
        let done = surroundings
            .unless_stopped(scenario::perform(*part, &stage))
            .await;
        stage.clear().await?;
        let done = done?;
        measures.extend(done.measures);
        checked += done.checked;
    }
    measures.extend(scenario::compare(&measures));
    Ok(Round {
        ceiling,
        measures,
        checked,
    })
}
