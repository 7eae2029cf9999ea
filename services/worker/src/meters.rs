//! The metrics of one agent, looked up once: a lookup by name and labels costs more than what is counted.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use factorial_agent::ToolRecord;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tokio::time::Instant;

use crate::metrics as names;

/// Label of tools that the agent's definition does not name: those of callers, and those that a model made up.
const OTHER_TOOL: &str = "other";

/// Of an agent in this process.
pub(crate) struct Meters {
    agent: Box<str>,
    claimed: Counter,
    queue_wait_seconds: Histogram,
    run_seconds: Histogram,
    turn_seconds: Histogram,
    ended: Mutex<HashMap<&'static str, Counter>>,
    tool_calls: Mutex<HashMap<&'static str, Counter>>,
    tools: HashMap<Box<str>, Histogram>,
    other_tool: Histogram,
    models: Mutex<Vec<Arc<ModelMeters>>>,
}

/// Of a model that it calls.
pub(crate) struct ModelMeters {
    provider: Box<str>,
    model: Box<str>,
    pub(crate) calls: Counter,
    pub(crate) seconds: Histogram,
    pub(crate) first_token_seconds: Histogram,
    /// Input, of these from a cache, output, of these reasoning.
    pub(crate) tokens: [Counter; 4],
    cost_usd: Gauge,
}

impl ModelMeters {
    /// Adds the cost of a reply.
    pub(crate) fn spent(&self, micros: u64) {
        self.cost_usd.increment(micros as f64 / 1e6);
    }
}

impl Meters {
    /// `tools`: those of the definition, which are the labels of tool durations.
    pub(crate) fn new<'a>(agent: &str, tools: impl Iterator<Item = &'a str>) -> Self {
        let of = |tool: &str| histogram!(names::TOOL_SECONDS, "agent" => agent.to_owned(), "tool" => tool.to_owned());
        let tools: BTreeSet<&str> = tools.collect();
        Self {
            claimed: counter!(names::CLAIMED, "agent" => agent.to_owned()),
            queue_wait_seconds: histogram!(names::QUEUE_WAIT_SECONDS, "agent" => agent.to_owned()),
            run_seconds: histogram!(names::RUN_SECONDS, "agent" => agent.to_owned()),
            turn_seconds: histogram!(names::TURN_SECONDS, "agent" => agent.to_owned()),
            agent: agent.into(),
            ended: Mutex::default(),
            tool_calls: Mutex::default(),
            tools: tools
                .into_iter()
                .map(|tool| (tool.into(), of(tool)))
                .collect(),
            other_tool: of(OTHER_TOOL),
            models: Mutex::default(),
        }
    }

    /// A task that was claimed, after so long in the queue.
    pub(crate) fn claimed(&self, waited: Duration) {
        self.claimed.increment(1);
        self.queue_wait_seconds.record(waited.as_secs_f64());
    }

    /// A run that ended.
    pub(crate) fn run_ended(&self, outcome: &'static str, seconds: f64) {
        self.run_seconds.record(seconds);
        self.by_outcome(&self.ended, names::RUNS_ENDED, outcome);
    }

    /// A run that was dropped because its task was cancelled, so long after the signal.
    pub(crate) fn cancelled(&self, after: Duration) {
        histogram!(names::CANCEL_SECONDS, "agent" => self.agent.to_string())
            .record(after.as_secs_f64());
    }

    /// A turn that ended. `began`: when its model call began, if that was in this run.
    pub(crate) fn turn_ended(&self, began: Option<Instant>) {
        if let Some(began) = began {
            self.turn_seconds.record(began.elapsed().as_secs_f64());
        }
    }

    /// Where the duration of a call goes once it is committed; a result that was waited for has none.
    pub(crate) fn tool_timer(&self, result: &ToolRecord) -> Option<(&Histogram, Duration)> {
        let histogram = self.tools.get(result.name.as_str());
        let duration = Duration::from_millis(result.duration_ms);
        (!duration.is_zero()).then_some((histogram.unwrap_or(&self.other_tool), duration))
    }

    /// A tool call that was committed.
    pub(crate) fn tool_called(&self, outcome: &'static str) {
        self.by_outcome(&self.tool_calls, names::TOOL_CALLS, outcome);
    }

    fn by_outcome(
        &self,
        counters: &Mutex<HashMap<&'static str, Counter>>,
        name: &'static str,
        outcome: &'static str,
    ) {
        let fresh = || counter!(name, "agent" => self.agent.to_string(), "outcome" => outcome);
        let mut counters = counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry(outcome).or_insert_with(fresh).increment(1);
    }

    /// Those of a model. An agent has few, so they are looked through.
    pub(crate) fn model(&self, provider: &str, model: &str) -> Arc<ModelMeters> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |m: &&Arc<ModelMeters>| *m.model == *model && *m.provider == *provider;
        if let Some(meters) = models.iter().find(known) {
            return Arc::clone(meters);
        }
        let labels = [
            ("agent", self.agent.to_string()),
            ("provider", provider.to_owned()),
            ("model", model.to_owned()),
        ];
        let tokens = |kind: &'static str| {
            counter!(
                names::TOKENS, "agent" => self.agent.to_string(), "provider" => provider.to_owned(),
                "model" => model.to_owned(), "kind" => kind
            )
        };
        let meters = Arc::new(ModelMeters {
            provider: provider.into(),
            model: model.into(),
            calls: counter!(names::MODEL_CALLS, &labels),
            seconds: histogram!(names::MODEL_SECONDS, &labels),
            first_token_seconds: histogram!(names::FIRST_TOKEN_SECONDS, &labels),
            tokens: ["input", "cached_input", "output", "reasoning"].map(tokens),
            cost_usd: gauge!(names::COST, &labels),
        });
        models.push(Arc::clone(&meters));
        meters
    }
}
