//! An agent that says when it was started.

use async_trait::async_trait;
use factorial_agent::{Agent, AgentDefinition, NoopAgent, Run, RunEnd};

/// Completes every task with the time at which it was begun: microseconds since the Unix epoch.
pub(super) struct StampAgent {
    pub(super) definition: AgentDefinition,
    pub(super) clock: fn() -> u64,
}

#[async_trait]
impl Agent for StampAgent {
    fn definition(&self) -> &AgentDefinition {
        &self.definition
    }

    async fn run(&self, run: Run<'_>) -> RunEnd {
        let begun = (self.clock)().to_string();
        NoopAgent::new(self.definition.name.clone(), begun)
            .run(run)
            .await
    }
}
