//! Runs the loops one after the other and keeps their rates.

use tokio::time::Instant;

use super::loops::{Loops, consume, enqueue};
use crate::error::BenchError;
use crate::server::Server;
use crate::stats::rate;

/// Connections of the loops, each with one call at a time.
const CONNECTIONS: usize = 50;
/// Tasks of a call of the grouped loops.
const GROUP: usize = 25;

/// Which ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Accepting, one task a call.
    Enqueue,
    /// Accepting, 25 tasks a call.
    EnqueueGrouped,
    /// Claiming and finishing, one task a call.
    Consume,
    /// Claiming and finishing, 25 tasks a call.
    ConsumeGrouped,
}

impl Limit {
    pub(crate) const ALL: [Self; 4] = [
        Self::Enqueue,
        Self::EnqueueGrouped,
        Self::Consume,
        Self::ConsumeGrouped,
    ];

    /// As reports name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue, 1 a call",
            Self::EnqueueGrouped => "enqueue, 25 a call",
            Self::Consume => "claim + finish, 1 a call",
            Self::ConsumeGrouped => "claim + finish, 25 a call",
        }
    }
}

/// Rates of all of them, in tasks a second.
#[derive(Clone, Debug)]
pub(crate) struct Ceiling([f64; 4]);

impl Ceiling {
    pub(crate) fn rate(&self, limit: Limit) -> f64 {
        let [enqueue, enqueue_grouped, consume, consume_grouped] = self.0;
        match limit {
            Limit::Enqueue => enqueue,
            Limit::EnqueueGrouped => enqueue_grouped,
            Limit::Consume => consume,
            Limit::ConsumeGrouped => consume_grouped,
        }
    }
}

/// Takes so many tasks through the loops, one a call and 25 a call. `base` is the start of the keys; what is there
/// afterwards is the caller's to remove.
///
/// # Errors
/// When Redis does not answer, or a loop loses a task.
pub(crate) async fn measure(
    server: &Server,
    base: &str,
    tasks: u64,
    payload: &str,
) -> Result<Ceiling, BenchError> {
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(server.connection().await?);
    }
    let mut rates = [[0.0; 2]; 2];
    for (pair, (name, group)) in rates.iter_mut().zip([("one", 1), ("many", GROUP)]) {
        let loops = Loops {
            connections: connections.clone(),
            base: format!("{base}{name}:"),
            tasks,
            group,
        };
        let started = Instant::now();
        enqueue(&loops, payload).await?;
        let accepted = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let done = consume(&loops).await?;
        let consumed = started.elapsed().as_secs_f64();
        if done != tasks {
            let text = format!("the ceiling finished {done} of {tasks} tasks");
            return Err(BenchError::Delivery(text));
        }
        *pair = [rate(tasks, accepted), rate(tasks, consumed)];
    }
    let [[enqueue, consume], [enqueue_grouped, consume_grouped]] = rates;
    Ok(Ceiling([
        enqueue,
        enqueue_grouped,
        consume,
        consume_grouped,
    ]))
}
