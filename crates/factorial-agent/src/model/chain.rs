//! A model with fallbacks.
//!
//! Built with an agent. Invariant: a fallback is only asked when nothing of the reply was shown yet, so that a reader
//! of the deltas never sees two replies run into one.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Notify, time::timeout};

use super::{Deltas, Model, ModelError, ModelReply, ModelRequest};
use crate::ErrorKind;

/// Models that are asked in order until one answers.
pub struct ModelChain {
    models: Vec<Box<dyn Model>>,
}

impl std::fmt::Debug for ModelChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelChain")
            .field("models", &self.models.len())
            .finish()
    }
}

impl ModelChain {
    /// The first choice and then the fallbacks.
    #[must_use]
    pub fn new(models: Vec<Box<dyn Model>>) -> Self {
        Self { models }
    }
}

/// Whether another place may do better: what passes by itself, and what is wrong with this place only.
const fn worth_a_fallback(kind: ErrorKind) -> bool {
    kind.retryable() || matches!(kind, ErrorKind::Authentication | ErrorKind::NotFound)
}

#[async_trait]
impl Model for ModelChain {
    async fn call(
        &self,
        request: &ModelRequest<'_>,
        deltas: &mut Deltas<'_>,
    ) -> Result<ModelReply, ModelError> {
        let mut first: Option<ModelError> = None;
        // An equal share each, so that one that never answers leaves time for those behind it.
        let share = request.timeout / u32::try_from(self.models.len()).unwrap_or(1).max(1);
        for (index, model) in self.models.iter().enumerate() {
            let last = index + 1 == self.models.len();
            let shown = AtomicBool::new(false);
            let alive = Notify::new();
            let mut pass = |text: &str| {
                alive.notify_one();
                if !text.is_empty() {
                    shown.store(true, Ordering::Relaxed);
                }
                deltas(text);
            };
            let reply = tokio::select! {
                biased;
                reply = model.call(request, &mut pass) => reply,
                () = silence(&alive, share), if !last => {
                    Err(ModelError::new(ErrorKind::Timeout, format!("no sign of life within {} s", share.as_secs_f64())))
                }
            };
            let error = match reply {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let stop = shown.into_inner() || last || !worth_a_fallback(error.kind);
            if !stop {
                tracing::warn!(error.kind = %error.kind, error.status = error.status, "model failed, trying its fallback");
            }
            // The first choice's trouble tells most about whether and when to come back.
            let error = match first.take() {
                Some(first) if first.kind.retryable() || !error.kind.retryable() => first,
                _ => error,
            };
            if stop {
                return Err(error);
            }
            first = Some(error);
        }
        Err(first
            .unwrap_or_else(|| ModelError::new(ErrorKind::BadRequest, "the agent has no model")))
    }
}

/// Returns after `share`, unless there was a sign of life before.
async fn silence(alive: &Notify, share: Duration) {
    if timeout(share, alive.notified()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}
