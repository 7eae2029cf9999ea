//! Agents and workers.

use std::collections::{BTreeMap, BTreeSet};

use factorial_api::{Agent, Time, Worker, WorkerAgent};
use factorial_core::{AgentAnnouncement, AgentName, TaskState, WorkerAnnouncement};

/// An agent as clients see it, with the tasks that wait and run, and the workers that take new ones.
pub(crate) fn agent(
    announced: AgentAnnouncement,
    counts: &BTreeMap<(AgentName, TaskState), u64>,
    workers: &[WorkerAnnouncement],
    paused: &BTreeSet<AgentName>,
) -> Agent {
    let count = |state| {
        let key = (announced.name.clone(), state);
        counts.get(&key).copied().unwrap_or(0)
    };
    let serves = |worker: &&WorkerAnnouncement| {
        !worker.draining && worker.agents.iter().any(|a| a.name == announced.name)
    };
    Agent {
        paused: paused.contains(&announced.name),
        queued: count(TaskState::Queued),
        processing: count(TaskState::Processing),
        workers: u32::try_from(workers.iter().filter(serves).count()).unwrap_or(u32::MAX),
        name: announced.name.into(),
        description: announced.description,
        version: announced.version,
        model: announced.model,
        tools: announced.tools,
        last_seen_at: time(announced.seen_ms),
        definition: announced.definition,
    }
}

/// A worker as operators see it.
pub(crate) fn worker(announced: WorkerAnnouncement) -> Worker {
    let agents = announced.agents.into_iter().map(|agent| WorkerAgent {
        name: agent.name.into(),
        slots: agent.slots,
        running: agent.running,
    });
    Worker {
        id: announced.id.into(),
        host: announced.host,
        pid: announced.pid,
        version: announced.version,
        started_at: time(announced.started_ms),
        last_heartbeat_at: time(announced.seen_ms),
        draining: announced.draining,
        agents: agents.collect(),
    }
}

fn time(ms: u64) -> Time {
    Time::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}
