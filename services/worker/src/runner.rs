//! One agent in this worker, with its slots.

use std::sync::Arc;

use factorial_agent::Agent;
use factorial_core::{AgentAnnouncement, AgentName, InvalidName, WorkerAgentSlots};
use metrics::gauge;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{metrics as names, options::RunnerOptions};

/// An agent, its settings and its slots.
pub struct Runner {
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) name: AgentName,
    pub(crate) options: RunnerOptions,
    slots: Arc<Semaphore>,
}

impl Runner {
    /// Serves an agent.
    ///
    /// # Errors
    /// When its name cannot be part of a key.
    pub fn new(agent: Arc<dyn Agent>, options: RunnerOptions) -> Result<Self, InvalidName> {
        let name = AgentName::new(agent.definition().name.as_str())?;
        gauge!(names::SLOTS, "agent" => name.to_string()).set(f64::from(options.slots));
        let slots = Arc::new(Semaphore::new(options.slots as usize));
        Ok(Self { agent, name, options, slots })
    }

    pub(crate) fn free(&self) -> usize {
        self.slots.available_permits()
    }

    /// Takes all free slots, for one claim; those that it does not fill go back.
    pub(crate) fn take_free(self: &Arc<Self>, freed: &Arc<Notify>) -> Vec<Slot> {
        std::iter::from_fn(|| Arc::clone(&self.slots).try_acquire_owned().ok())
            .map(|permit| Slot { permit: Some(permit), runner: Arc::clone(self), freed: Arc::clone(freed) })
            .collect()
    }

    pub(crate) fn in_use(&self) -> WorkerAgentSlots {
        let running = self.options.slots.saturating_sub(u32::try_from(self.free()).unwrap_or(u32::MAX));
        gauge!(names::SLOTS_IN_USE, "agent" => self.name.to_string()).set(f64::from(running));
        WorkerAgentSlots { name: self.name.clone(), slots: self.options.slots, running }
    }

    pub(crate) fn announcement(&self) -> AgentAnnouncement {
        let definition = self.agent.definition();
        AgentAnnouncement {
            name: self.name.clone(),
            description: Some(definition.description.clone()).filter(|d| !d.is_empty()),
            version: definition.version(),
            model: definition.model.targets().first().map(|t| format!("{}/{}", t.provider, t.name)),
            tools: definition.tools.iter().map(|t| t.name().to_owned()).collect(),
            seen_ms: 0,
        }
    }
}

/// A slot that a task occupies; free again when dropped.
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    pub(crate) runner: Arc<Runner>,
    freed: Arc<Notify>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let was_full = self.runner.free() == 0;
        self.permit.take();
        // Fetchers that had free slots wait for the agent already.
        if was_full {
            self.freed.notify_waiters();
        }
    }
}
