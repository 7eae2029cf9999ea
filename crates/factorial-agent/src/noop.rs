//! An agent without a model.
//!
//! Used by benchmarks of the engine and as the smallest example of a custom [`Agent`].

use async_trait::async_trait;

use crate::{
    Agent, AgentDefinition, AgentName, Completion, ErrorKind, Failure, FinishReason, JournalError,
    Message, ModelSpec, Output, Provider, Run, RunEnd, TurnRecord, Usage,
};

/// Completes every task at once with the same text.
#[derive(Debug, Clone)]
pub struct NoopAgent {
    definition: AgentDefinition,
    text: String,
}

impl NoopAgent {
    /// An agent called `name` that answers `text`.
    #[must_use]
    pub fn new(name: AgentName, text: impl Into<String>) -> Self {
        let model = ModelSpec::new(Provider::OpenaiCompatible, "noop");
        Self {
            definition: AgentDefinition::new(name, model),
            text: text.into(),
        }
    }
}

#[async_trait]
impl Agent for NoopAgent {
    fn definition(&self) -> &AgentDefinition {
        &self.definition
    }

    async fn run(&self, run: Run<'_>) -> RunEnd {
        let mut turn = run.turns_done;
        loop {
            if run.signals.drain().is_cancelled() {
                return RunEnd::HandBack;
            }
            turn = turn.saturating_add(1);
            let record = TurnRecord {
                turn,
                message: Message::assistant(&self.text),
                repair: None,
                usage: Usage::default(),
                model: "noop".to_owned(),
                provider: "noop".to_owned(),
                provider_response_id: None,
                cost_usd_micros: None,
                duration_ms: 0,
                ttft_ms: 0,
                finish_reason: FinishReason::Stop,
                tool_calls: 0,
                waits: Vec::new(),
            };
            match run.journal.complete(record, Output::text(&self.text)).await {
                Ok(Completion::Done) => return RunEnd::Completed,
                // The steering is answered with the same text; a drain or a limit ends a steady stream of it.
                Ok(Completion::Continue(_)) if turn < run.limits.max_turns() => {}
                Ok(Completion::Continue(_)) => {
                    let message = format!("max_turns ({}) reached", run.limits.max_turns());
                    return RunEnd::Failed(Failure::new(ErrorKind::LimitExceeded, turn, message));
                }
                Err(JournalError::Lost) => return RunEnd::Lost,
                Err(error @ JournalError::TooLarge(_)) => {
                    return RunEnd::Failed(Failure::new(
                        ErrorKind::TooLarge,
                        turn,
                        error.to_string(),
                    ));
                }
                Err(error @ JournalError::Unavailable(_)) => {
                    return RunEnd::Failed(Failure::new(
                        ErrorKind::JournalUnavailable,
                        turn,
                        error.to_string(),
                    ));
                }
            }
        }
    }
}
