//! The tasks of a measurement, as the store takes them.

use std::collections::BTreeMap;

use factorial_core::{AgentName, Entry, NewTask, OwnerId, Priority, Start, TaskId};

use crate::error::BenchError;

/// Whose tasks they are, where nothing else is said.
pub(crate) const OWNER: &str = "bench";

/// Tasks that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) agent: AgentName,
    pub(crate) query: String,
    /// Owners in turn; 1 for all tasks of one.
    pub(crate) owners: u64,
}

impl Load {
    /// Tasks of one owner.
    pub(crate) fn new(agent: &AgentName, query: impl Into<String>) -> Self {
        Self {
            agent: agent.clone(),
            query: query.into(),
            owners: 1,
        }
    }

    /// The task at a place in the load, to be started now.
    ///
    /// # Errors
    /// Never: the owner's name is valid.
    pub(crate) fn task(&self, index: usize, id: TaskId) -> Result<NewTask, BenchError> {
        let mut task = new_task(id, &self.agent, self.query.clone())?;
        if self.owners > 1 {
            task.owner = OwnerId::new(format!("{OWNER}-{}", index as u64 % self.owners))?;
        }
        Ok(task)
    }
}

/// A task for an agent of ours, to be started now.
///
/// # Errors
/// Never: the owner's name is valid.
pub(crate) fn new_task(
    id: TaskId,
    agent: &AgentName,
    query: String,
) -> Result<NewTask, BenchError> {
    Ok(NewTask {
        id,
        agent: agent.clone(),
        owner: OwnerId::new(OWNER)?,
        priority: Priority::DEFAULT,
        start: Start::Now,
        input: Entry::Input {
            messages: Vec::new(),
            query: Some(query),
            context: None,
        },
        previous: None,
        parent: None,
        batch: None,
        stream: false,
        deadline: None,
        limits: None,
        metadata: BTreeMap::new(),
        tools: None,
        webhook: None,
        trace: None,
        idempotency: None,
    })
}
