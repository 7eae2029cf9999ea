//! Running tasks whose events many clients follow through a gateway.

use factorial_api::SubmitTask;
use factorial_core::{AgentName, TaskState};
use factorial_sim::{Sim, SimConfig};

use super::Done;
use crate::aim::Aim;
use crate::delivery::{Expected, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::{Door, stream as follow};
use crate::role::MODEL_AGENT;
use crate::stage::Stage;
use crate::stats::each;
use crate::submit::OWNER;

/// Memory that a reader may take, KiB: 50 KB.
const MOST_KIB: f64 = 48.8;
/// A reply of some seconds, token by token.
const QUERY: &str = "[[sim:turns=0]][[sim:tokens=200]][[sim:token_delay_ms=20]]";

/// The worker is started when every reader is there. All tasks run at once.
pub(super) async fn stream(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let (tasks, readers) = (stage.options.tasks, stage.options.concurrency);
    let config = SimConfig {
        history: 0,
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    stage.announce(&agent).await?;
    let gateway = stage.gateway().await?;
    let door = Door::new(gateway.url(), None, OWNER);
    let before_mib = gateway.resident_mib();
    let task = SubmitTask {
        stream: true,
        ..door.task(agent.as_str(), format!("{QUERY}{}", stage.payload()))
    };
    let slots = usize::try_from(tasks).unwrap_or(usize::MAX);
    let (clock, progress) = (stage.surroundings.clock, stage.progress);
    let start = async || stage.worker(slots, Some(sim.base_url())).await;
    let size = (tasks, readers);
    let (streamed, worker) = follow(&door, &task, size, clock, progress, start).await?;
    let expected = Expected::once(TaskState::Completed);
    check(&stage.store, &agent, &streamed.ids, expected).await?;

    let mut measures = streamed.measures;
    if let Some(cpu) = gateway.cpu_us() {
        let cpu = each(cpu, streamed.events);
        measures.push(Measure::new("gateway cpu", "µs/event seen", cpu));
    }
    let peak = gateway.peak_memory();
    if let (Some(before), Some(peak)) = (before_mib, &peak) {
        let kib = each((peak.value() - before) * 1024.0, readers as u64);
        let measure = Measure::new("gateway memory", "KiB/reader", kib);
        measures.push(measure.aim(Aim::AtMost(MOST_KIB)));
    }
    measures.extend(peak);
    worker.stop().await?;
    gateway.stop().await?;
    sim.stop().await;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
