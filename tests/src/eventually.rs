//! Waiting for what must become true, without guessing how long it takes.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Calls `look` until it gives a value.
///
/// # Panics
/// When it has given none within `deadline`; the panic names the place of the call.
#[track_caller]
pub fn eventually<T>(
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + deadline;
        loop {
            if let Some(value) = look().await {
                return value;
            }
            assert!(Instant::now() < end, "not within {deadline:?}: {caller}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
