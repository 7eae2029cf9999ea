//! The reaper on its own: hours of the timeline that are over, and what chores say of themselves.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, time::Duration};

use factorial_core::{AgentAnnouncement, AgentName, Store, WorkerAnnouncement, WorkerId};
use factorial_reaper::{ReaperOptions, WebhookOptions};
use factorial_service::{Health, Shutdown};
use factorial_tests::{TestStore, eventually};

const HOUR: u64 = 3_600_000;
const PATIENCE: Duration = Duration::from_secs(20);

fn agent() -> AgentName {
    "a".parse().unwrap()
}

async fn announce(store: &Store) {
    let worker = WorkerAnnouncement {
        id: WorkerId::new("w").unwrap(),
        host: String::new(),
        pid: 1,
        version: String::new(),
        started_ms: 0,
        seen_ms: 0,
        draining: false,
        agents: Vec::new(),
    };
    let announcement = AgentAnnouncement {
        name: agent(),
        description: None,
        version: String::new(),
        model: None,
        tools: Vec::new(),
        approvals: BTreeMap::new(),
        context_schema: None,
        definition: None,
        seen_ms: 0,
    };
    store
        .announce(&worker, &[announcement], PATIENCE)
        .await
        .unwrap();
}

fn options() -> ReaperOptions {
    let day = Duration::from_secs(86_400);
    ReaperOptions {
        interval: Duration::from_millis(100),
        workers: 1,
        batch: 100,
        lease: Duration::from_secs(10),
        max_recoveries: 3,
        completed_ttl: day,
        failed_ttl: day,
        cancelled_ttl: day,
        webhooks: WebhookOptions {
            allow_private_networks: false,
            max_in_flight: 1,
            max_in_flight_per_host: 1,
        },
    }
}

/// Runs reapers until `look` finds something.
async fn reaped<T>(test: &TestStore, reapers: usize, look: impl AsyncFnMut() -> Option<T>) -> T {
    let shutdown = Shutdown::new();
    let running: Vec<_> = (0..reapers)
        .map(|_| {
            let (store, stop) = (test.store().clone(), shutdown.clone());
            tokio::spawn(async move {
                factorial_reaper::run(store, options(), &Health::new(), &stop)
                    .await
                    .unwrap();
            })
        })
        .collect();
    let found = eventually(PATIENCE, look).await;
    shutdown.start_drain();
    for reaper in running {
        reaper.await.unwrap();
    }
    found
}

#[tokio::test]
async fn hours_that_are_over_are_summed_up_once() {
    let test = TestStore::new(2).await;
    announce(test.store()).await;
    let namespace = test.store().namespace().clone();
    let now = test.store().now_ms().await.unwrap() / HOUR * HOUR;
    let write = |partition: u16, start: u64, amount: u64| {
        let key = format!("{{{namespace}:{partition}}}:mt:a:60000:{start}");
        let _: i64 = test.raw(&["HINCRBY", &key, "completed", &amount.to_string()]);
        let _: i64 = test.raw(&["EXPIRE", &key, "600"]);
    };
    for partition in 0..2 {
        for minute in [0, 17, 59] {
            write(partition, now - HOUR + minute * 60_000, 1);
            write(partition, now - 2 * HOUR + minute * 60_000, 10);
            write(partition, now + minute * 60_000, 100);
        }
    }
    let starts = [now - 2 * HOUR, now - HOUR, now];
    let hours = reaped(&test, 2, async || {
        let hours = test.store().hours(&agent(), &starts).await.unwrap();
        hours[1].is_some().then_some(hours)
    })
    .await;
    let completed: Vec<Option<u64>> = hours
        .iter()
        .map(|hour| hour.as_ref().map(|hour| hour.counts["completed"]))
        .collect();
    assert_eq!(
        completed,
        [Some(60), Some(6), None],
        "the running hour is not"
    );

    // Another one comes late, when a part of it is gone.
    for minute in [0, 17] {
        let key = format!(
            "{{{namespace}:0}}:mt:a:60000:{}",
            now - HOUR + minute * 60_000
        );
        let _: i64 = test.raw(&["DEL", &key]);
    }
    let rounds = test.store().chores().await.unwrap();
    let before = rounds.iter().find(|chore| chore.name == "hours").unwrap();
    reaped(&test, 1, async || {
        let chores = test.store().chores().await.unwrap();
        let hours = chores.into_iter().find(|chore| chore.name == "hours");
        hours.filter(|chore| chore.success_ms > before.success_ms)
    })
    .await;
    let again = test.store().hours(&agent(), &starts).await.unwrap();
    assert_eq!(again, hours);
}

#[tokio::test]
async fn chores_say_when_they_succeeded() {
    let test = TestStore::new(1).await;
    let chores = reaped(&test, 1, async || {
        let chores = test.store().chores().await.unwrap();
        (chores.len() == 11).then_some(chores)
    })
    .await;
    let names: Vec<&str> = chores.iter().map(|chore| &*chore.name).collect();
    let expected = [
        "batches",
        "cascade",
        "deadlines",
        "expire",
        "gauges",
        "hours",
        "promote",
        "reconcile",
        "recover",
        "waits",
        "webhooks",
    ];
    assert_eq!(names, expected);
    let now = test.store().now_ms().await.unwrap();
    for chore in chores {
        assert!(
            chore.success_ms <= now && chore.success_ms + 20_000 > now,
            "{chore:?}"
        );
        assert_eq!((chore.interval_ms, chore.done), (100, 0), "{chore:?}");
    }
}
