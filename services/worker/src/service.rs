//! A worker process from start to drain.

use std::sync::{Arc, atomic::AtomicU64};

use factorial_core::{ConnectError, Store, StoreError, StoreOptions, WorkerId};
use factorial_service::{Health, Shutdown, watch_redis};
use tokio::sync::{Notify, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    callbacks::Callbacks, directory::Directory, execute::Context, fetch::Fetcher,
    heartbeat::Heartbeat, held::HeldTasks, metrics, options::WorkerOptions, runner::Runner,
};

/// How long the hand-backs at the end may take, if Redis does not answer.
const RELEASE_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Redis is not fit or not there.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The secret of the namespace could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread for the heartbeat.
    #[error("cannot start the heartbeat: {0}")]
    Thread(#[from] std::io::Error),
    /// Nothing to serve.
    #[error(
        "no agents: name agent files with --agents, FACTORIAL_AGENTS or worker.agents in factorial.yaml"
    )]
    NoAgents,
}

/// Serves the runners until `shutdown`: at `drain` it claims nothing more and lets runs end at a boundary; after the
/// grace period, or at `now`, it hands back what is left. Returns when every run has ended.
///
/// # Errors
/// When it cannot start.
pub async fn run(
    store_options: StoreOptions,
    options: WorkerOptions,
    worker: WorkerId,
    runners: Vec<Runner>,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), WorkerError> {
    metrics::describe();
    if runners.is_empty() {
        return Err(WorkerError::NoAgents);
    }
    let runners: Arc<[Arc<Runner>]> = runners.into_iter().map(Arc::new).collect();
    let ready = health.component("worker");
    let store = Store::connect(&store_options).await?;
    let _redis = watch_redis(store.clone(), store_options.clone(), health);
    let held = HeldTasks::default();
    let stop = CancellationToken::new();
    let stalled_after = options.heartbeat_interval * 6;
    let (beaten, first_beat) = oneshot::channel();
    let heartbeat = Heartbeat {
        store: store_options,
        options: options.clone(),
        worker: worker.clone(),
        version: env!("CARGO_PKG_VERSION"),
        runners: Arc::clone(&runners),
        held: held.clone(),
        drain: shutdown.drain.clone(),
        stop: stop.clone(),
        progress: health.progress("heartbeat", stalled_after),
    }
    .start(beaten)?;
    // No task before the agents are announced and leases can be renewed.
    shutdown.drain.run_until_cancelled(first_beat).await;

    let callbacks = match &options.public_url {
        Some(url) => Some(Arc::new(
            Callbacks::new(url, &store, &fresh_secret()).await?,
        )),
        None => None,
    };
    let context = Context {
        store: store.clone(),
        held,
        lease: options.lease,
        directory: Directory::default(),
        callbacks,
        max_descendants: options.max_descendants,
        drain: shutdown.drain.clone(),
        abandon: CancellationToken::new(),
    };
    let (runs, fetchers) = (TaskTracker::new(), TaskTracker::new());
    let freed = Arc::new(Notify::new());
    for partition in store.all_partitions() {
        let fetcher = Fetcher {
            context: context.clone(),
            worker: worker.clone(),
            partition,
            runners: Arc::clone(&runners),
            freed: Arc::clone(&freed),
            runs: runs.clone(),
            progress: health.progress("fetch", stalled_after),
            calls: AtomicU64::new(1),
        };
        fetchers.spawn(fetcher.run());
    }
    tracing::info!(worker.id = %worker, agents = runners.len(), "worker started");
    ready.ready(true);

    shutdown.drain.cancelled().await;
    ready.ready(false);
    fetchers.close();
    fetchers.wait().await;
    runs.close();
    tokio::select! {
        () = runs.wait() => {}
        () = shutdown.now.cancelled() => {}
        () = tokio::time::sleep(options.grace) => {}
    }
    context.abandon.cancel();
    // Leases are renewed until the last hand-back is written.
    if tokio::time::timeout(RELEASE_WITHIN, runs.wait())
        .await
        .is_err()
    {
        tracing::warn!("not all tasks could be handed back; their leases will expire");
    }
    stop.cancel();
    let _ = tokio::task::spawn_blocking(move || heartbeat.join()).await;
    tracing::info!(worker.id = %worker, "worker stopped");
    Ok(())
}

/// 256 random bits as text.
fn fresh_secret() -> String {
    let bits: [u128; 2] = rand::random();
    format!("{:032x}{:032x}", bits[0], bits[1])
}
