//! Counts the requests to one model, by what became of them.
//!
//! Made with a model, told by it. Invariant: each request is counted once, also one that is dropped before its answer: by a
//! cancellation, an interrupt, a timeout of the turn or a fallback that got its turn.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use metrics::{Counter, counter};

use crate::ErrorKind;

/// Requests to models, by `provider`, `model` and `outcome` (answered, aborted, or the kind of the error).
const REQUESTS: &str = "factorial_model_requests_total";

/// Gives the recorder the help texts.
pub fn describe_metrics() {
    metrics::describe_counter!(
        REQUESTS,
        "Requests to models, fallbacks and failures included: answered, aborted, or the kind of the failure."
    );
}

const ANSWERED: &str = "answered";
const ABORTED: &str = "aborted";

/// Of one model.
pub(super) struct Requests {
    provider: &'static str,
    model: String,
    answered: Counter,
    others: Mutex<HashMap<&'static str, Counter>>,
}

/// One that is under way.
pub(super) struct OpenRequest<'a> {
    of: &'a Requests,
    outcome: &'static str,
}

impl Requests {
    pub(super) fn of(provider: &'static str, model: &str) -> Self {
        Self {
            answered: counted(provider, model, ANSWERED),
            others: Mutex::default(),
            provider,
            model: model.to_owned(),
        }
    }

    pub(super) fn open(&self) -> OpenRequest<'_> {
        OpenRequest {
            of: self,
            outcome: ABORTED,
        }
    }
}

fn counted(provider: &'static str, model: &str, outcome: &'static str) -> Counter {
    counter!(REQUESTS, "provider" => provider, "model" => model.to_owned(), "outcome" => outcome)
}

impl OpenRequest<'_> {
    /// It has ended by itself: well, or with an error of this kind.
    pub(super) fn answered(mut self, error: Option<ErrorKind>) {
        self.outcome = error.map_or(ANSWERED, ErrorKind::as_str);
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        if self.outcome == ANSWERED {
            self.of.answered.increment(1);
            return;
        }
        let mut others = self
            .of
            .others
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        others
            .entry(self.outcome)
            .or_insert_with(|| counted(self.of.provider, &self.of.model, self.outcome))
            .increment(1);
    }
}
