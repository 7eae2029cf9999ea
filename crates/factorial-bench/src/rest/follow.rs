//! One reader of the events of a task.

use std::pin::pin;

use factorial_api::Event;
use factorial_client::Client;
use factorial_core::TaskId;
use futures::StreamExt as _;

use super::check::is_end;
use crate::error::BenchError;

/// What a reader has seen.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) events: u64,
    /// From each event that happened while the reader was there until it was seen, ms: by the clock of Redis and then by
    /// ours.
    pub(crate) late_ms: Vec<f64>,
}

/// Reads until the task has ended. `seen` hears every event.
///
/// # Errors
/// [`BenchError::Delivery`] when one is missing, comes twice or out of order; and when the stream breaks.
pub(crate) async fn follow(
    client: &Client,
    id: &TaskId,
    clock: fn() -> u64,
    mut seen: impl FnMut(&Event),
) -> Result<Followed, BenchError> {
    let mut followed = Followed::default();
    let mut events = pin!(client.events(id.as_str(), 0));
    let (mut since_ms, mut has_ended) = (None, false);
    while let Some(event) = events.next().await {
        let (event, at_us) = (event?, clock());
        followed.events += 1;
        if event.seq != followed.events || has_ended {
            let (seq, place) = (event.seq, followed.events);
            let text = format!("a reader of task {id} saw event {seq} in place {place}");
            return Err(BenchError::Delivery(text));
        }
        has_ended = is_end(&event.event_type);
        let (at_ms, now_ms) = (event.at.as_millis(), to_ms(at_us));
        // What was there before was not on its way.
        #[expect(
            clippy::cast_precision_loss,
            reason = "a time in ms has fewer digits than a double"
        )]
        if at_ms > *since_ms.get_or_insert(to_whole(at_us)) {
            followed.late_ms.push(now_ms - at_ms as f64);
        }
        seen(&event);
    }
    if has_ended {
        Ok(followed)
    } else {
        let text = format!("a reader of task {id} did not see its end");
        Err(BenchError::Delivery(text))
    }
}

fn to_ms(at_us: u64) -> f64 {
    crate::stats::number(at_us) / 1_000.0
}

fn to_whole(at_us: u64) -> i64 {
    i64::try_from(at_us / 1_000).unwrap_or(i64::MAX)
}
