//! One agent in this worker, with its slots.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use factorial_agent::Agent;
use factorial_core::{AgentAnnouncement, AgentName, Claimed, InvalidName, WorkerAgentSlots};
use metrics::{counter, gauge};
use tokio::sync::{Mutex, Notify};

use crate::{
    execute::Context,
    journal::{StoreJournal, deltas::Deltas},
    meters::Meters,
    metrics as names,
    options::RunnerOptions,
    shown,
    trace::RunTrace,
};

/// An agent, its settings and its slots.
pub struct Runner {
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) name: AgentName,
    pub(crate) options: RunnerOptions,
    /// One claim at a time, so that two partitions do not both count on the same free slots.
    pub(crate) claiming: Mutex<()>,
    running: AtomicU32,
    pub(crate) meters: Arc<Meters>,
    version: Arc<str>,
}

impl Runner {
    /// Serves an agent.
    ///
    /// # Errors
    /// When its name cannot be part of a key.
    pub fn new(agent: Arc<dyn Agent>, options: RunnerOptions) -> Result<Self, InvalidName> {
        let name = AgentName::new(agent.definition().name.as_str())?;
        gauge!(names::SLOTS, "agent" => name.to_string()).set(f64::from(options.slots));
        // From 0 on: Prometheus sees no increase in a series that begins with its first count.
        counter!(names::FENCED).increment(0);
        Ok(Self {
            meters: Arc::new(Meters::new(
                name.as_str(),
                agent.definition().tools.iter().map(|tool| tool.name()),
            )),
            version: agent.definition().version().into(),
            agent,
            name,
            options,
            claiming: Mutex::new(()),
            running: AtomicU32::new(0),
        })
    }

    /// The journal of a run of this agent.
    pub(crate) fn journal(
        &self,
        context: &Context,
        claimed: &Claimed,
        deltas: Arc<Deltas>,
        trace: Option<Arc<RunTrace>>,
    ) -> StoreJournal {
        let (meters, version) = (Arc::clone(&self.meters), Arc::clone(&self.version));
        StoreJournal::new(context, meters, version, claimed, deltas, trace)
    }

    pub(crate) fn free(&self) -> u32 {
        self.options
            .slots
            .saturating_sub(self.running.load(Ordering::Acquire))
    }

    /// Takes a slot; the caller holds `claiming` and has seen that one is free.
    pub(crate) fn occupy(self: &Arc<Self>, freed: &Arc<Notify>) -> Slot {
        self.running.fetch_add(1, Ordering::AcqRel);
        Slot {
            runner: Arc::clone(self),
            freed: Arc::clone(freed),
        }
    }

    pub(crate) fn in_use(&self) -> WorkerAgentSlots {
        let running = self.running.load(Ordering::Acquire);
        gauge!(names::SLOTS_IN_USE, "agent" => self.name.to_string()).set(f64::from(running));
        WorkerAgentSlots {
            name: self.name.clone(),
            slots: self.options.slots,
            running,
        }
    }

    pub(crate) fn announcement(&self) -> AgentAnnouncement {
        let definition = self.agent.definition();
        AgentAnnouncement {
            name: self.name.clone(),
            description: Some(definition.description.clone()).filter(|d| !d.is_empty()),
            version: self.version.to_string(),
            approvals: self.agent.approval_schemas(),
            context_schema: definition.context_schema.clone(),
            model: definition
                .model
                .targets()
                .first()
                .map(|t| format!("{}/{}", t.provider, t.name)),
            tools: definition
                .tools
                .iter()
                .map(|t| t.name().to_owned())
                .collect(),
            definition: Some(shown::definition(definition)),
            seen_ms: 0,
        }
    }
}

/// A slot that a task occupies; free again when dropped.
pub(crate) struct Slot {
    pub(crate) runner: Arc<Runner>,
    freed: Arc<Notify>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let before = self.runner.running.fetch_sub(1, Ordering::AcqRel);
        // Fetchers wait for the agent already, unless it was full.
        if before == self.runner.options.slots {
            self.freed.notify_waiters();
        }
    }
}
