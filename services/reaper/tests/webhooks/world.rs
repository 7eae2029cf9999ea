//! A namespace with tasks that end when a test wants, and reapers in this process.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use factorial_core::{
    Delivery, DeliveryState, Entry, Namespace, NewTask, OwnerId, Partition, Priority, Receiver,
    Start, Store, StoreOptions, TaskId, TaskWebhook, Webhook,
};
use factorial_local_redis::{Engine, LocalRedis, Options};
use factorial_reaper::{ReaperOptions, WebhookOptions};
use factorial_service::{Health, Shutdown};
use tokio::task::JoinHandle;
use ulid::Ulid;

const SOON: Duration = Duration::from_secs(30);
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) struct World {
    pub(crate) store: Store,
    unique: AtomicU64,
    _redis: LocalRedis,
}

/// A reaper that ends with it.
pub(crate) struct Reaper {
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Reaper {
    pub(crate) async fn stop(self) {
        self.shutdown.drain.cancel();
        self.running.await.unwrap();
    }
}

pub(crate) fn options() -> WebhookOptions {
    WebhookOptions {
        allow_private_networks: true,
        max_in_flight: 16,
        max_in_flight_per_host: 4,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let options = Options {
            engine: Engine::Server,
            ..Options::default()
        };
        let start = move || LocalRedis::start(options);
        let redis = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        let mut options = StoreOptions::new(redis.url(), Namespace::new("test").unwrap());
        options.partitions = Some(2);
        let store = Store::connect(&options).await.unwrap();
        Self {
            store,
            unique: AtomicU64::new(1),
            _redis: redis,
        }
    }

    pub(crate) fn reaper(&self, webhooks: WebhookOptions) -> Reaper {
        let day = Duration::from_secs(86_400);
        let options = ReaperOptions {
            interval: Duration::from_secs(10),
            workers: 1,
            batch: 100,
            lease: Duration::from_secs(10),
            max_recoveries: 3,
            completed_ttl: day,
            failed_ttl: day,
            cancelled_ttl: day,
            webhooks,
        };
        let (store, shutdown) = (self.store.clone(), Shutdown::new());
        let stop = shutdown.clone();
        let running = tokio::spawn(async move {
            let reaped = factorial_reaper::run(store, options, &Health::new(), &stop).await;
            reaped.unwrap();
        });
        Reaper { shutdown, running }
    }

    fn partition(&self) -> (u64, Partition) {
        let unique = self.unique.fetch_add(1, Ordering::Relaxed);
        (unique, Partition((unique % 2) as u16))
    }

    /// A task that was cancelled just now; its only event that is told is the second one.
    pub(crate) async fn cancelled(&self, webhook: Option<Receiver>) -> TaskId {
        let (unique, partition) = self.partition();
        let task = NewTask {
            id: TaskId::new(partition, Ulid(u128::from(unique) << 64)),
            agent: "a".parse().unwrap(),
            owner: OwnerId::new("o").unwrap(),
            priority: Priority::DEFAULT,
            start: Start::Now,
            input: Entry::Input {
                messages: Vec::new(),
                query: Some("q".to_owned()),
                context: None,
            },
            previous: None,
            parent: None,
            batch: None,
            stream: false,
            deadline: None,
            limits: None,
            metadata: BTreeMap::new(),
            tools: None,
            webhook: webhook.map(TaskWebhook::Own),
            trace: None,
            idempotency: None,
        };
        self.store.enqueue(&task).await.unwrap();
        self.store.cancel(&task.id, Some("tested")).await.unwrap();
        task.id
    }

    pub(crate) async fn tell(&self, url: impl Into<String>) -> TaskId {
        self.cancelled(Some(to(url))).await
    }

    pub(crate) async fn add(&self, id: &str, url: &str) -> Webhook {
        let webhook = Webhook {
            id: id.parse().unwrap(),
            owner: OwnerId::new("o").unwrap(),
            receiver: Receiver {
                url: url.to_owned(),
                events: Vec::new(),
                secret: None,
            },
            created_ms: 0,
            on: true,
        };
        self.store.add_webhook(&webhook).await.unwrap();
        webhook
    }

    pub(crate) async fn delivery(&self, task: &TaskId) -> Delivery {
        let mut found = self.store.task_deliveries(task).await.unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// The only delivery of a task, when it has been tried so often.
    pub(crate) async fn tried(&self, task: &TaskId, attempts: u32) -> Delivery {
        eventually(async || Some(self.delivery(task).await).filter(|d| d.attempts >= attempts))
            .await
    }

    /// The only delivery of a task, when it has ended.
    pub(crate) async fn ended(&self, task: &TaskId) -> Delivery {
        let ended = |d: &Delivery| d.state != DeliveryState::Pending;
        eventually(async || Some(self.delivery(task).await).filter(ended)).await
    }
}

pub(crate) fn to(url: impl Into<String>) -> Receiver {
    Receiver {
        url: url.into(),
        events: Vec::new(),
        secret: Some(SECRET.to_owned().into()),
    }
}

pub(crate) async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
