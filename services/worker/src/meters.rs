//! The metrics of one agent, looked up once: a lookup by name and labels costs more than what is counted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics as names;

/// Of an agent in this process.
pub(crate) struct Meters {
    agent: Box<str>,
    pub(crate) claimed: Counter,
    run_seconds: Histogram,
    ended: Mutex<HashMap<&'static str, Counter>>,
    tool_calls: Mutex<HashMap<&'static str, Counter>>,
    models: Mutex<HashMap<Box<str>, Arc<ModelMeters>>>,
}

/// Of a model that it calls.
pub(crate) struct ModelMeters {
    pub(crate) calls: Counter,
    pub(crate) seconds: Histogram,
    pub(crate) first_token_seconds: Histogram,
    /// Input, of these from a cache, output, of these reasoning.
    pub(crate) tokens: [Counter; 4],
}

impl Meters {
    pub(crate) fn new(agent: &str) -> Self {
        Self {
            claimed: counter!(names::CLAIMED, "agent" => agent.to_owned()),
            run_seconds: histogram!(names::RUN_SECONDS, "agent" => agent.to_owned()),
            agent: agent.into(),
            ended: Mutex::default(),
            tool_calls: Mutex::default(),
            models: Mutex::default(),
        }
    }

    /// A run that ended.
    pub(crate) fn run_ended(&self, outcome: &'static str, seconds: f64) {
        self.run_seconds.record(seconds);
        self.by_outcome(&self.ended, names::RUNS_ENDED, outcome);
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

    /// Those of a model.
    pub(crate) fn model(&self, model: &str) -> Arc<ModelMeters> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meters) = models.get(model) {
            return Arc::clone(meters);
        }
        let labels = [
            ("agent", self.agent.to_string()),
            ("model", model.to_owned()),
        ];
        let tokens = |kind: &'static str| {
            counter!(
                names::TOKENS, "agent" => self.agent.to_string(), "model" => model.to_owned(), "kind" => kind
            )
        };
        let meters = Arc::new(ModelMeters {
            calls: counter!(names::MODEL_CALLS, &labels),
            seconds: histogram!(names::MODEL_SECONDS, &labels),
            first_token_seconds: histogram!(names::FIRST_TOKEN_SECONDS, &labels),
            tokens: ["input", "cached_input", "output", "reasoning"].map(tokens),
        });
        models.insert(model.into(), Arc::clone(&meters));
        meters
    }
}
