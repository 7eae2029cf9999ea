//! A reaper process from start to end.

use std::sync::Arc;

use factorial_core::Store;
use factorial_service::{Health, Shutdown};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    chore::{Chore, Driver},
    chores::{
        Batches, Cascade, Deadlines, Expire, Gauges, Hours, Promote, Reconcile, Recover, Waits,
        Webhooks,
    },
    metrics,
    options::ReaperOptions,
    webhooks::{Courier, SenderError},
};

/// Does all chores until `shutdown`; rounds and deliveries that are under way are finished.
///
/// # Errors
/// When the HTTP client for webhooks cannot be made.
pub async fn run(
    store: Store,
    options: ReaperOptions,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), SenderError> {
    metrics::describe();
    let ready = health.component("reaper");
    let stop = CancellationToken::new();
    let chores = TaskTracker::new();
    let outbox = Arc::new(Notify::new());
    let courier = Courier::new(
        store.clone(),
        &options.webhooks,
        Arc::clone(&outbox),
        chores.clone(),
    )?;
    let at_work = Arc::new(Semaphore::new(options.workers.max(1)));
    // Called when something became due, or is to be done at once.
    let [promote, deadlines, waits, cascade, batches] = [(); 5].map(|()| Arc::new(Notify::new()));
    let start = |call: Arc<Notify>, name| Driver {
        store: store.clone(),
        options: options.clone(),
        at_work: Arc::clone(&at_work),
        call,
        stop: stop.clone(),
        progress: health.progress(name, options.interval * 6),
    };
    spawn(&chores, start(Arc::clone(&promote), "promote"), Promote);
    let quiet = || Arc::new(Notify::new());
    spawn(&chores, start(quiet(), "recover"), Recover::default());
    spawn(
        &chores,
        start(Arc::clone(&deadlines), "deadlines"),
        Deadlines,
    );
    spawn(&chores, start(Arc::clone(&waits), "waits"), Waits);
    spawn(&chores, start(Arc::clone(&cascade), "cascade"), Cascade);
    spawn(&chores, start(Arc::clone(&batches), "batches"), Batches);
    spawn(
        &chores,
        start(Arc::clone(&outbox), "webhooks"),
        Webhooks::new(courier),
    );
    spawn(&chores, start(quiet(), "expire"), Expire);
    spawn(&chores, start(quiet(), "reconcile"), Reconcile::default());
    spawn(&chores, start(quiet(), "gauges"), Gauges::default());
    spawn(&chores, start(quiet(), "hours"), Hours::default());

    let mut notices = store.due_notices(stop.clone());
    chores.spawn(async move {
        while notices.recv().await.is_some() {
            // Kept for a chore that is in a round just now.
            for chore in [&promote, &deadlines, &waits, &cascade, &batches] {
                chore.notify_one();
            }
        }
    });
    let mut deliveries = store.outbox_notices(stop.clone());
    chores.spawn(async move {
        while deliveries.recv().await.is_some() {
            outbox.notify_one();
        }
    });
    tracing::info!(partitions = store.partitions(), "reaper started");
    ready.ready(true);

    shutdown.drain.cancelled().await;
    ready.ready(false);
    stop.cancel();
    chores.close();
    tokio::select! {
        () = chores.wait() => {}
        () = shutdown.now.cancelled() => {}
    }
    tracing::info!("reaper stopped");
    Ok(())
}

fn spawn(chores: &TaskTracker, driver: Driver, chore: impl Chore + 'static) {
    chores.spawn(driver.run(chore));
}
