//! The feed of an owner: gathered while somebody follows it, without gaps, and not at all otherwise.

use std::time::Duration;

use factorial_core::{EventBatch, FeedEntry, FinishOutcome};

use crate::world::{LEASE, World, completed, owner, turn};

const LASTS: Duration = Duration::from_secs(600);

async fn follow(w: &World) -> u64 {
    let owner = owner("o");
    w.store()
        .follow_owner(w.partition, &owner, LASTS)
        .await
        .unwrap()
}

async fn read(w: &World, after: u64) -> Vec<FeedEntry> {
    let page = w.store().feed(w.partition, &owner("o"), after, 100).await;
    page.unwrap()
}

/// `<name of the task> <seq> <type>`, a line each.
fn told(w: &World, entries: &[FeedEntry]) -> Vec<String> {
    let events = entries.iter().flat_map(|entry| {
        let name = w.name_of(&entry.id.parse().unwrap());
        entry
            .events
            .iter()
            .map(move |e| format!("{name} {} {}", e.seq, e.event_type))
    });
    events.collect()
}

/// A whole life.
async fn live(w: &World, name: &str) {
    let held = w.held(name).await;
    w.store()
        .commit(&held, &turn(1, 1, 1), true, LEASE)
        .await
        .unwrap();
    let ended = w.store().finish(&held, &completed(2, 2), LEASE).await;
    assert_eq!(ended.unwrap(), FinishOutcome::Finished);
}

on_each! {
    async fn whoever_follows_sees_everything_in_order(w) {
        let begun = follow(w).await;
        live(w, "A").await;
        w.enqueue("B").await;
        w.store().cancel(&w.id("B"), None).await.unwrap();
        let entries = read(w, begun).await;
        let numbers: Vec<u64> = entries.iter().map(|e| e.n).collect();
        let expected: Vec<u64> = (begun + 1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected);
        let log: Vec<String> = {
            let mut lines = Vec::new();
            for name in ["A", "B"] {
                let (events, _) = w.store().events(&w.id(name), 0, 100).await.unwrap();
                lines.extend(events.iter().map(|e| format!("{name} {} {}", e.seq, e.event_type)));
            }
            lines
        };
        assert_eq!(told(w, &entries), log);
        assert!(entries.iter().all(|e| e.agent.as_deref() == Some("a")));
        // From in between.
        assert_eq!(read(w, begun + 2).await.len(), entries.len() - 2);
    }

    async fn nothing_is_gathered_for_nobody(w) {
        live(w, "A").await;
        let keys: i64 = w.raw("EXISTS", "f:o", &[]);
        assert_eq!(keys, 0);
        // Somebody follows another owner.
        let other = "somebody".parse().unwrap();
        w.store().follow_owner(w.partition, &other, LASTS).await.unwrap();
        live(w, "B").await;
        let keys: i64 = w.raw("EXISTS", "f:o", &[]);
        assert_eq!(keys, 0);
    }

    async fn following_again_changes_no_number(w) {
        let begun = follow(w).await;
        w.enqueue("A").await;
        assert_eq!(follow(w).await, begun + 1);
        w.enqueue("B").await;
        assert_eq!(told(w, &read(w, begun).await), ["A 1 task_enqueued", "B 1 task_enqueued"]);
    }

    async fn a_feed_that_lapsed_begins_anew_with_a_gap(w) {
        let begun = follow(w).await;
        w.enqueue("A").await;
        let _: i64 = w.raw("HSET", "fo", &["o", "1000"]);
        w.enqueue("B").await;
        let again = follow(w).await;
        assert!(again > begun + 1);
        w.enqueue("C").await;
        let entries = read(w, begun).await;
        let numbers: Vec<u64> = entries.iter().map(|e| e.n).collect();
        assert_eq!(numbers, [begun + 1, again, again + 1]);
        assert!(entries[1].events.is_empty());
        let told = told(w, &[entries[0].clone(), entries[2].clone()]);
        assert_eq!(told, ["A 1 task_enqueued", "C 1 task_enqueued"]);
        // All is gone, as when Redis lost it: numbers still grow.
        let _: i64 = w.raw("DEL", "fo", &[]);
        assert!(follow(w).await > again + 1);
    }

    async fn it_expires_by_itself(w) {
        follow(w).await;
        for key in ["f:o", "fo"] {
            let ttl: i64 = w.raw("PTTL", key, &[]);
            assert!(ttl > 500_000, "{key}: {ttl}");
        }
    }

    async fn what_comes_is_told_at_once(w) {
        let begun = follow(w).await;
        let mut live = w.store().subscribe_feed(w.partition, &owner("o"));
        assert!(matches!(live.next().await, EventBatch::Look));
        let id = w.enqueue("A").await;
        w.steer(&id, "1", &["one"]).await;
        for (n, expected) in [(1, "A 1 task_enqueued"), (2, "A 2 run_steering_accepted")] {
            let EventBatch::Entry(entry) = live.next().await else { panic!("an entry") };
            assert_eq!((entry.n, told(w, &[(*entry).clone()])), (begun + n, vec![expected.to_owned()]));
        }
    }
}
