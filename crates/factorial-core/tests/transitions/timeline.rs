//! The metrics timeline: each transition is counted once, in a bucket that expires.

use std::time::Duration;

use factorial_core::RecoverPolicy;

use crate::world::{LEASE, World, completed, failed, failure};

async fn busy(w: &World) {
    for name in ["A", "B", "C", "D"] {
        w.enqueue(name).await;
    }
    let held: Vec<_> = w.claim(3).await.into_iter().map(|c| c.held).collect();
    w.store()
        .finish(&held[0], &completed(1, 1), LEASE)
        .await
        .unwrap();
    w.store()
        .finish(&held[0], &completed(1, 1), LEASE)
        .await
        .unwrap();
    w.store()
        .finish(&held[1], &failed(1, 1), LEASE)
        .await
        .unwrap();
    w.store()
        .back_off(&held[2], 1, LEASE, &failure())
        .await
        .unwrap();
    w.store().cancel(&w.id("D"), None).await.unwrap();
    w.store().cancel(&w.id("D"), None).await.unwrap();
    w.held("E").await;
    w.expire_lease("E");
    let policy = RecoverPolicy {
        max_recoveries: 3,
        most: 10,
    };
    w.store().recover(w.partition, policy).await.unwrap();
}

on_each! {
    async fn each_transition_is_counted_once(w) {
        busy(w).await;
        let buckets = w.store().timeline(&"a".parse().unwrap()).await.unwrap();
        assert_eq!(buckets.len(), 3, "of a day each, for two days and the one that runs");
        let now = buckets.last().unwrap();
        let expected = [
            ("cancelled", 1), ("claimed", 4), ("completed", 1), ("enqueued", 5), ("failed", 1), ("recovered", 1),
            ("retried", 1),
        ];
        assert_eq!(now.counts, expected.map(|(name, n)| (name.to_owned(), n)).into());
        assert_eq!(now.wait.values().sum::<u64>(), 4, "one wait for each claim");
        assert_eq!(now.run.values().sum::<u64>(), 2, "one run for each end of a task that was started");
        assert!(buckets[0].counts.is_empty());
        assert!(w.store().timeline(&"b".parse().unwrap()).await.unwrap().iter().all(|b| b.counts.is_empty()));
    }

    async fn a_bucket_expires(w) {
        busy(w).await;
        let keyspace = w.snapshot();
        let buckets: Vec<&String> = keyspace.keys.keys().filter(|k| k.contains("}:mt:")).collect();
        assert_eq!(buckets.len(), 1);
        let left: u64 = w.test.raw(&["TTL", buckets[0]]);
        let kept = Duration::from_secs(3 * 86_400).as_secs();
        assert!(left <= kept && left > kept - 60, "{left}");
    }

    async fn durations_fall_into_their_slots(w) {
        w.enqueue("A").await;
        let ready = w.store().now_ms().await.unwrap() - 1_000;
        let _: i64 = w.raw("HSET", "t:{A}", &["ready", &ready.to_string()]);
        w.claim(1).await;
        let buckets = w.store().timeline(&"a".parse().unwrap()).await.unwrap();
        let slots: Vec<u8> = buckets.last().unwrap().wait.keys().copied().collect();
        // Slot k holds 2^(k/2) to 2^((k+1)/2) ms: 1,000 ms is in slot 19, from 724 to 1,024 ms, or just after it.
        assert!(slots == [19] || slots == [20], "{slots:?}");
    }
}
