//! Everything together, for a while: mixed tasks through a gateway, with workers that die, and what is left at the end.

mod audit;
mod census;
mod deaths;

use factorial_core::AgentName;
use factorial_sim::{Sim, SimConfig};
use tokio_util::sync::CancellationToken;

use self::audit::audit;
use self::census::Census;
use self::deaths::deaths;
use super::Done;
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::{Door, Mix, soak as load};
use crate::role::{MODEL_AGENT, NOOP_AGENT};
use crate::stage::Stage;
use crate::stats::number;
use crate::submit::OWNER;

/// How long ended tasks stay, s: short, so that what grows is not what is kept on purpose.
const ENDED_TTL: u64 = 20;
/// Tasks in flight of each worker, of each agent.
const SLOTS: usize = 64;
/// A few turns with a tool, none of them long.
const TURNS: &str = "[[sim:turns=3]][[sim:latency_ms=50]]";
/// Longer than it is left alone.
const LONG: &str = "[[sim:turns=20]][[sim:latency_ms=200]]";

/// Two workers, of which one is killed and replaced now and then, a gateway and a reaper.
pub(super) async fn soak(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let lasts = stage.options.duration;
    let config = SimConfig {
        history: 0,
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    let model_url = sim.base_url();
    let steady = stage.worker(SLOTS, Some(model_url.clone())).await?;
    let gateway = stage.gateway().await?;
    let reaper = stage.reaper(Some(ENDED_TTL)).await?;
    let door = Door::new(gateway.url(), None, OWNER);
    let payload = stage.payload();
    let query = |agent: &str, what: &str| (agent.to_owned(), format!("{what}{payload}"));
    let mix = Mix {
        plain: query(NOOP_AGENT, ""),
        turns: query(MODEL_AGENT, TURNS),
        long: query(MODEL_AGENT, LONG),
    };
    stage.progress.begin("soaking", lasts.as_secs().max(1));
    let done = CancellationToken::new();
    let (clients, progress) = (stage.options.concurrency, stage.progress);
    let working = async {
        let tally = load(&door, &mix, clients, lasts, progress).await;
        done.cancel();
        tally
    };
    let census = Census {
        stage,
        worker: &steady,
        gateway: &gateway,
        reaper: &reaper,
    };
    let (tally, killed, sizes) = tokio::try_join!(
        working,
        deaths(stage, SLOTS, &model_url, lasts, &done),
        census.take(lasts),
    )?;
    if reaper.has_logged(REPAIRED) {
        let log = reaper.log_tail();
        return Err(BenchError::Delivery(format!(
            "the reaper had to repair something:\n{log}"
        )));
    }
    let agents = [AgentName::new(NOOP_AGENT)?, AgentName::new(MODEL_AGENT)?];
    audit(stage, &agents, &tally, lasts).await?;

    let mut measures = tally.measures();
    measures.push(Measure::new("workers killed", "workers", number(killed)));
    measures.extend(sizes);
    reaper.stop().await?;
    gateway.stop().await?;
    steady.stop().await?;
    sim.stop().await;
    Ok(Done {
        measures,
        checked: tally.accepted,
    })
}

/// What a reaper logs when a task was not where its state says.
const REPAIRED: &str = "tasks were not where their state says";
