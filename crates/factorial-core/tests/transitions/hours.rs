//! Hours of the timeline: summed up once, kept, and read again.

use std::time::Duration;

use factorial_core::{AgentName, Bucket, ModelUse, TimelineConfig};
use factorial_tests::{StoreSetup, TestRedis, TestStore};

const HOUR: u64 = 3_600_000;

async fn store(partitions: u16) -> TestStore {
    let redis = tokio::task::spawn_blocking(TestRedis::shared)
        .await
        .unwrap();
    let setup = StoreSetup {
        redis,
        partitions,
        namespace: None,
    };
    TestStore::open(setup, |options| {
        options.timeline = TimelineConfig::default()
    })
    .await
}

/// Writes a field of a bucket of a minute, as the scripts do.
fn write(test: &TestStore, partition: u16, start: u64, field: &str, amount: u64) {
    let namespace = test.store().namespace();
    let key = format!("{{{namespace}:{partition}}}:mt:a:60000:{start}");
    let _: i64 = test.raw(&["HINCRBY", &key, field, &amount.to_string()]);
    let _: i64 = test.raw(&["EXPIRE", &key, "600"]);
}

#[tokio::test]
async fn an_hour_is_the_sum_of_its_buckets_in_all_partitions() {
    let test = store(4).await;
    let agent: AgentName = "a".parse().unwrap();
    let now = test.store().now_ms().await.unwrap();
    let start = now / HOUR * HOUR - HOUR;
    for partition in 0..4 {
        for minute in [0, 1, 59] {
            let at = start + minute * 60_000;
            write(&test, partition, at, "completed", 2);
            write(&test, partition, at, "w7", 1);
            write(&test, partition, at, "u:m", (100 << 32) | 7);
            write(&test, partition, at, "c:m", 3);
        }
        // Of the hours before and after.
        write(&test, partition, start - 60_000, "completed", 100);
        write(&test, partition, start + HOUR, "completed", 100);
    }
    let hour = test.store().summed(&agent, start, HOUR).await.unwrap();
    assert_eq!(hour.counts["completed"], 24);
    assert_eq!(hour.wait[&7], 12);
    let used = ModelUse {
        input: 1200,
        output: 84,
        cost_micros: Some(36),
    };
    assert_eq!(hour.models["m"], used);

    assert!(test.store().keep_hour(&agent, &hour).await.unwrap());
    let late = Bucket {
        start_ms: start,
        ..Bucket::default()
    };
    assert!(!test.store().keep_hour(&agent, &late).await.unwrap());
    let kept = test
        .store()
        .hours(&agent, &[start - HOUR, start])
        .await
        .unwrap();
    assert_eq!(kept, [None, Some(hour)]);
    let namespace = test.store().namespace();
    let left: i64 = test.raw(&["TTL", &format!("{{{namespace}}}:hour:a:{start}")]);
    assert!(left > 7 * 86_400 && left <= 8 * 86_400, "{left}");
}

#[tokio::test]
async fn buckets_live_until_their_hour_can_be_summed_up() {
    let minute = Duration::from_secs(60);
    let short = TimelineConfig {
        bucket: minute,
        retention: 50 * minute,
    };
    assert!(short.kept() >= Duration::from_secs(2 * 3600));
    let day = Duration::from_secs(86_400);
    let coarse = TimelineConfig {
        bucket: day,
        retention: 50 * day,
    };
    assert!(!coarse.has_hours());
    assert_eq!(coarse.kept(), 50 * day);
}
