//! Signals to a worker: a task that it holds was cancelled, or is to be interrupted.
//!
//! A signal can be lost with the connection; the heartbeat finds a lost lease, and the next boundary finds steering.

use std::time::Duration;

use deadpool_redis::redis;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StoreError,
    ids::{TaskId, WorkerId},
    store::Store,
};

/// Between two tries to connect.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);
/// How often a silent connection is tried, and how long it has to answer.
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// What a worker is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The task has ended, by cancel or deadline: drop it.
    Cancel(TaskId),
    /// A steering message wants to be seen at once.
    Interrupt(TaskId),
    /// Somebody listens to the task: say what there is of the open reply, and go on.
    Watch(TaskId),
    /// The connection was away: signals may have been missed.
    Reconnected,
}

/// Signals as they come.
pub type SignalStream = mpsc::Receiver<Signal>;

impl Store {
    /// A notification whenever a task became the next one due of its partition, and after every reconnection, until `stop`.
    #[must_use]
    pub fn due_notices(&self, stop: CancellationToken) -> mpsc::Receiver<()> {
        let channels = self
            .all_partitions()
            .map(|p| self.0.keys.due_channel(p))
            .collect();
        self.notices(channels, stop)
    }

    /// The same whenever something is to be delivered to a webhook.
    #[must_use]
    pub fn outbox_notices(&self, stop: CancellationToken) -> mpsc::Receiver<()> {
        let channels = self
            .all_partitions()
            .map(|p| self.0.keys.outbox_channel(p))
            .collect();
        self.notices(channels, stop)
    }

    fn notices(&self, channels: Vec<String>, stop: CancellationToken) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel(1);
        self.listen(channels, stop, true, move |_| {
            // One waiting notice is enough: whoever takes it looks at everything.
            !matches!(
                sender.try_send(()),
                Err(mpsc::error::TrySendError::Closed(()))
            )
        });
        receiver
    }

    /// Listens for a worker until `stop`. Reconnects by itself.
    #[must_use]
    pub fn signals(&self, worker: &WorkerId, stop: CancellationToken) -> SignalStream {
        let (sender, receiver) = mpsc::channel(4096);
        let channels = self
            .all_partitions()
            .map(|p| self.0.keys.worker_channel(p, worker))
            .collect();
        self.listen(channels, stop, true, move |text| {
            let signal = match text.map(|t| t.split_once(' ')) {
                None => Some(Signal::Reconnected),
                Some(Some(("cancel", id))) => id.parse().ok().map(Signal::Cancel),
                Some(Some(("interrupt", id))) => id.parse().ok().map(Signal::Interrupt),
                Some(Some(("watch", id))) => id.parse().ok().map(Signal::Watch),
                Some(_) => None,
            };
            let Some(signal) = signal else {
                tracing::warn!("unknown signal");
                return true;
            };
            match sender.try_send(signal) {
                Ok(()) => true,
                // The heartbeat and the next boundary find what is dropped here.
                Err(mpsc::error::TrySendError::Full(_)) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
        receiver
    }

    /// Gives each message to `take`, and `None` after a reconnection, until it says false or `stop`. The first connection
    /// counts as one unless it is to be `quiet`.
    pub(crate) fn listen(
        &self,
        channels: Vec<String>,
        stop: CancellationToken,
        quiet: bool,
        mut take: impl FnMut(Option<&str>) -> bool + Send + 'static,
    ) {
        let store = self.clone();
        tokio::spawn(async move {
            let run = async {
                let mut first = quiet;
                loop {
                    match listen_once(&store, &channels, first, &mut take).await {
                        Ok(false) => return,
                        Ok(true) => {}
                        Err(error) => tracing::debug!(%error, "signal connection lost"),
                    }
                    first = false;
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
            };
            stop.run_until_cancelled(run).await;
        });
    }
}

/// One connection's life. `Ok(false)`: nobody wants more.
async fn listen_once(
    store: &Store,
    channels: &[String],
    first: bool,
    take: &mut impl FnMut(Option<&str>) -> bool,
) -> Result<bool, StoreError> {
    let link = &store.0.link;
    let (connection, node) = link.pubsub().await?;
    let (mut sink, mut messages) = connection.split();
    sink.subscribe(channels).await?;
    if !first && !take(None) {
        return Ok(false);
    }
    let mut probe = tokio::time::interval(PROBE_EVERY);
    probe.tick().await;
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(true) };
                let text: String = message.get_payload()?;
                if !take(Some(&text)) {
                    return Ok(false);
                }
            }
            _ = probe.tick() => {
                // A half-open connection would be silent for ever.
                let pong = tokio::time::timeout(PROBE_PATIENCE, sink.ping::<redis::Value>());
                if !matches!(pong.await, Ok(Ok(_))) || !link.has(&node) { return Ok(true) }
            }
        }
    }
}
