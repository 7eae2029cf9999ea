//! The reaper on its own: batches that nobody else looks after.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use factorial_core::{
    BatchId, BatchState, CancelBatchOutcome, Entry, Namespace, NewBatch, NewTask, OwnerId,
    Partition, Priority, Start, Store, StoreOptions, TaskState,
};
use factorial_local_redis::{Engine, LocalRedis, Options};
use factorial_reaper::{ReaperOptions, WebhookOptions};
use factorial_service::{Health, Shutdown};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};
use ulid::Ulid;

struct World {
    redis: LocalRedis,
    store: Store,
}

impl World {
    async fn new() -> Self {
        let options = Options {
            engine: Engine::Server,
            ..Options::default()
        };
        let start = || LocalRedis::start(options);
        let redis = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
        let mut options = StoreOptions::new(redis.url(), Namespace::new("test").unwrap());
        options.partitions = Some(2);
        let store = Store::connect(&options).await.unwrap();
        Self { redis, store }
    }

    /// A batch that is being filled, and has so many members of `planned`.
    async fn batch(&self, unique: u128, planned: u64, accepted: u64) -> BatchId {
        let owner = OwnerId::new("o").unwrap();
        let new = NewBatch {
            id: BatchId::new(Partition(1), Ulid(unique << 64)),
            owner: owner.clone(),
            members: planned,
            turns_each: None,
            webhook: None,
            metadata: BTreeMap::new(),
            idempotency: None,
        };
        self.store.open_batch(&new).await.unwrap();
        for index in 0..accepted {
            let task = NewTask {
                id: new.id.member(index),
                agent: "a".parse().unwrap(),
                owner: owner.clone(),
                priority: Priority::DEFAULT,
                start: Start::Now,
                input: Entry::Input {
                    messages: Vec::new(),
                    query: Some("q".to_owned()),
                    context: None,
                },
                previous: None,
                parent: None,
                batch: Some(new.id.clone()),
                stream: false,
                deadline: None,
                limits: None,
                metadata: BTreeMap::new(),
                tools: None,
                webhook: None,
                trace: None,
                idempotency: None,
            };
            self.store.enqueue(&task).await.unwrap();
        }
        new.id
    }

    /// A command on a key of the partition.
    async fn raw(&self, command: &str, key: &str, rest: &str) {
        let url = self.redis.url();
        let path = url.strip_prefix("redis+unix://").unwrap();
        let mut stream = UnixStream::connect(path).await.unwrap();
        let line = format!("{command} {{test:1}}:{key} {rest}\r\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut reply = [0; 64];
        let length = stream.read(&mut reply).await.unwrap();
        assert_eq!(reply[..length].first(), Some(&b':'), "{command} {key}");
    }

    async fn state(&self, id: &BatchId) -> Option<BatchState> {
        self.store.batch(id).await.unwrap().map(|b| b.state)
    }

    /// Runs a reaper until `look` finds what it looks for.
    async fn reap(&self, ttl: Duration, look: impl AsyncFn() -> bool) {
        let shutdown = Shutdown::new();
        let options = ReaperOptions {
            interval: Duration::from_millis(50),
            workers: 1,
            batch: 10,
            lease: Duration::from_secs(10),
            max_recoveries: 3,
            completed_ttl: ttl,
            failed_ttl: ttl,
            cancelled_ttl: ttl,
            webhooks: WebhookOptions {
                allow_private_networks: false,
                max_in_flight: 1,
                max_in_flight_per_host: 1,
            },
        };
        let health = Health::new();
        let reaper = factorial_reaper::run(self.store.clone(), options, &health, &shutdown);
        let looking = async {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !look().await {
                assert!(Instant::now() < deadline, "not in time");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            shutdown.drain.cancel();
        };
        let (reaped, ()) = tokio::join!(reaper, looking);
        reaped.unwrap();
    }
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn what_is_not_filled_in_time_is_sealed_as_it_is() {
    let world = World::new().await;
    let some = world.batch(1, 30, 3).await;
    let none = world.batch(2, 30, 0).await;
    let early = world.batch(3, 30, 1).await;
    for id in [&some, &none] {
        world.raw("ZADD", "filling", &format!("1 {id}")).await;
    }
    world
        .reap(LONG, async || {
            world.state(&some).await == Some(BatchState::Running)
                && world.state(&none).await == Some(BatchState::Completed)
        })
        .await;
    assert_eq!(world.store.batch(&some).await.unwrap().unwrap().members, 3);
    assert_eq!(world.state(&early).await, Some(BatchState::Filling));
}

#[tokio::test]
async fn a_cancellation_whose_caller_died_goes_on() {
    let world = World::new().await;
    let id = world.batch(1, 57, 57).await;
    world
        .raw("HSET", &format!("b:{id}"), "state cancelling")
        .await;
    // A key that is new answers with 1, one that is there with 0; both are numbers.
    world.raw("ZADD", "cancelling", &format!("1 {id}")).await;
    world.raw("ZREM", "filling", id.as_str()).await;
    world
        .reap(LONG, async || {
            world.state(&id).await == Some(BatchState::Cancelled)
        })
        .await;
    let record = world.store.batch(&id).await.unwrap().unwrap();
    assert_eq!(record.counts, BTreeMap::from([(TaskState::Cancelled, 57)]));
}

#[tokio::test]
async fn a_batch_goes_after_its_members() {
    let world = World::new().await;
    let id = world.batch(1, 25, 25).await;
    let cancelled = world.store.cancel_batch(&id, None).await.unwrap();
    assert_eq!(cancelled, CancelBatchOutcome::Cancelled);
    world
        .reap(Duration::ZERO, async || {
            let members: Vec<_> = (0..25).map(|n| id.member(n)).collect();
            let left = world.store.tasks(&members).await.unwrap();
            world.state(&id).await.is_none() && left.iter().all(Option::is_none)
        })
        .await;
    let page = world
        .store
        .list_batches(&factorial_core::Owners::All, None, 10)
        .await
        .unwrap();
    assert!(page.batches.is_empty());
}
