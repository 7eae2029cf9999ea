//! Redis in its larger forms, as real local processes: a cluster, Sentinels, TLS, least privilege.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod cluster;
mod drill;
mod secured;
mod sentinel;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use factorial_tests::{
    TestCluster,
    system::{Refusal, System, ask},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A cluster of three masters with a replica each.
async fn three_masters() -> Arc<TestCluster> {
    let started = tokio::task::spawn_blocking(|| TestCluster::start(3)).await;
    Arc::new(started.unwrap())
}

/// Does something that blocks.
async fn on<C: Send + Sync + 'static, T: Send + 'static>(
    what: &Arc<C>,
    act: impl FnOnce(&C) -> T + Send + 'static,
) -> T {
    let what = Arc::clone(what);
    tokio::task::spawn_blocking(move || act(&what))
        .await
        .unwrap()
}

/// Tasks that keep coming, each again under its key until it is accepted.
struct Load {
    stop: CancellationToken,
    submitters: Vec<JoinHandle<()>>,
    refused: Arc<AtomicUsize>,
}

impl Load {
    fn start(system: &Arc<System>, agent: &'static str) -> Self {
        let (stop, refused) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let submitters = (0..4).map(|lane| {
            let (system, stop, refused) = (Arc::clone(system), stop.clone(), Arc::clone(&refused));
            tokio::spawn(async move {
                for n in 0_u32.. {
                    if stop.is_cancelled() {
                        return;
                    }
                    let task = ask(agent, format!("{lane} {n}"));
                    refused.fetch_add(
                        accepted(&system, &task, &format!("{lane}-{n}")).await,
                        Ordering::Relaxed,
                    );
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        });
        Self {
            submitters: submitters.collect(),
            stop,
            refused,
        }
    }

    /// Ends it; how often a submission was refused.
    async fn end(self) -> usize {
        self.stop.cancel();
        for submitter in self.submitters {
            submitter.await.expect("the submitter ends");
        }
        self.refused.load(Ordering::Relaxed)
    }
}

/// Submits a task until it is accepted; how often it was not.
async fn accepted(system: &System, task: &factorial_api::SubmitTask, key: &str) -> usize {
    let mut refused = 0;
    while let Err(refusal) = system.submit_once(task, key).await {
        assert_eq!(
            refusal,
            Refusal::Refused(factorial_api::ErrorCode::StoreUnavailable)
        );
        refused += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    refused
}
