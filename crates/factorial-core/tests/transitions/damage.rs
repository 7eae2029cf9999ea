//! The invariants themselves: a healthy namespace has no violation, and each damage to it is seen.

use std::time::Duration;

use factorial_core::Start;
use factorial_tests::{
    Content, Keyspace, Stored,
    invariants::{Rule, check_keyspace},
};

use crate::world::{LEASE, World, completed, failed, failure, turn};

/// A task in each state, with a parent, steering and usage.
async fn seed(w: &World) {
    for name in ["completed", "failed", "backoff", "processing", "queued"] {
        w.enqueue_with(name, |t| t.deadline = Some(LEASE)).await;
    }
    w.enqueue_with("scheduled", |t| t.start = Start::After(LEASE))
        .await;
    let held: Vec<_> = w.claim(4).await.into_iter().map(|c| c.held).collect();
    let store = w.store();
    store
        .commit(&held[0], &turn(1, 1, 1), false, LEASE)
        .await
        .unwrap();
    store
        .finish(&held[0], &completed(2, 2), LEASE)
        .await
        .unwrap();
    store.finish(&held[1], &failed(1, 1), LEASE).await.unwrap();
    store
        .back_off(&held[2], 1, Duration::from_secs(60), &failure())
        .await
        .unwrap();
    w.child("child", &held[3].id, Some("call")).await;
    w.steer(&held[3].id, "c", &["one"]).await;
}

/// A hand in the keyspace: keys by the names of [`World::key`].
struct Damage<'a> {
    w: &'a World,
    keyspace: Keyspace,
}

impl Damage<'_> {
    fn content(&mut self, key: &str) -> &mut Content {
        &mut self
            .keyspace
            .keys
            .get_mut(&self.w.key(key))
            .unwrap()
            .content
    }

    fn set(&mut self, key: &str, field: &str, value: &str) {
        let Content::Hash(fields) = self.content(key) else {
            panic!("{key} is no hash")
        };
        fields.insert(field.to_owned(), value.to_owned());
    }

    fn push(&mut self, key: &str, item: &str) {
        let Content::List(items) = self.content(key) else {
            panic!("{key} is no list")
        };
        items.push(item.to_owned());
    }

    fn add(&mut self, key: &str, task: &str, score: i64) {
        let id = self.w.id(task).to_string();
        let empty = || Stored {
            content: Content::Sorted([].into()),
            expires: false,
        };
        let stored = self
            .keyspace
            .keys
            .entry(self.w.key(key))
            .or_insert_with(empty);
        let Content::Sorted(members) = &mut stored.content else {
            panic!("{key} is not sorted")
        };
        members.insert(id, score);
    }

    fn take(&mut self, key: &str, task: &str) {
        let id = self.w.id(task).to_string();
        let Content::Sorted(members) = self.content(key) else {
            panic!("{key} is not sorted")
        };
        assert!(members.remove(&id).is_some());
    }

    fn remove(&mut self, key: &str) {
        assert!(
            self.keyspace.keys.remove(&self.w.key(key)).is_some(),
            "{key}"
        );
    }

    fn text(&mut self, key: &str) {
        let stored = Stored {
            content: Content::Text(String::new()),
            expires: false,
        };
        self.keyspace.keys.insert(self.w.key(key), stored);
    }
}

type Injury = fn(&mut Damage<'_>);

const INJURIES: &[(Rule, &str, Injury)] = &[
    (Rule::OnePlace, "no lease", |d| {
        d.take("lease", "processing")
    }),
    (Rule::OnePlace, "two places", |d| {
        d.add("pending", "processing", 1)
    }),
    (Rule::OnePlace, "a place of another state", |d| {
        d.set("t:{queued}", "state", "backoff")
    }),
    (Rule::OnePlace, "no state", |d| {
        d.set("t:{queued}", "state", "lost")
    }),
    (Rule::OnePlace, "no turn in the ring", |d| d.remove("q:a")),
    (Rule::OnePlace, "due at another time", |d| {
        d.set("t:{scheduled}", "due", "1")
    }),
    (Rule::OnePlace, "ended at another time", |d| {
        d.set("t:{failed}", "finished", "1")
    }),
    (Rule::OnePlace, "no deadline", |d| {
        d.take("deadline", "queued")
    }),
    (Rule::OnePlace, "a deadline after the end", |d| {
        d.add("deadline", "failed", 1)
    }),
    (Rule::OnePlace, "a worker in a queue", |d| {
        d.set("t:{queued}", "worker", "w1")
    }),
    (Rule::OnePlace, "not listed for its agent", |d| {
        d.take("ia:a", "queued")
    }),
    (Rule::OnePlace, "not listed for its owner", |d| {
        d.take("io:o", "queued")
    }),
    (Rule::OnePlace, "listed for another", |d| {
        d.add("io:p", "queued", 0)
    }),
    (Rule::OnePlace, "an entry without a task", |d| {
        d.remove("t:{scheduled}")
    }),
    (Rule::EndsOnce, "a second end", |d| {
        d.push("t:{failed}:e", "9999999999999 0 1 run_failed {}")
    }),
    (Rule::EndsOnce, "an event after the end", |d| {
        d.push("t:{completed}:e", "9999999999999 0 1 agent_output {}");
    }),
    (Rule::EndsOnce, "an end of a task that runs", |d| {
        d.push("t:{processing}:e", "9999999999999 0 1 run_cancelled {}");
    }),
    (Rule::EndsOnce, "completed with a failure", |d| {
        d.set("t:{completed}", "failure", "{}")
    }),
    (Rule::EndsOnce, "failed with an output", |d| {
        d.push("t:{failed}:m", r#"{"t":"output"}"#)
    }),
    (Rule::Attempts, "one attempt too many", |d| {
        d.set("t:{failed}", "attempts", "2")
    }),
    (Rule::Attempts, "a retry that was none", |d| {
        d.set("t:{failed}", "retries", "1")
    }),
    (Rule::Attempts, "an end without a start", |d| {
        d.push("t:{queued}:e", "9999999999999 0 0 run_handed_back {}");
    }),
    (Rule::Attempts, "a start in a start", |d| {
        d.push("t:{processing}:e", "9999999999999 0 2 run_resumed {}");
    }),
    (Rule::Belongings, "a key without a task", |d| {
        d.remove("t:{scheduled}")
    }),
    (Rule::Belongings, "a task without events", |d| {
        d.remove("t:{scheduled}:e")
    }),
    (Rule::Belongings, "an unknown key", |d| d.text("what")),
    (Rule::Belongings, "a key that should expire", |d| {
        d.text("i:0123")
    }),
    (Rule::Awaited, "a wrong count", |d| {
        d.set("t:{processing}", "awaited", "2")
    }),
    (Rule::Awaited, "an answer that nobody gave", |d| {
        d.set("t:{processing}:w", "call", "completed x")
    }),
    (Rule::Awaited, "a child that is not known", |d| {
        d.remove("t:{processing}:c")
    }),
    (Rule::Usage, "tokens of no turn", |d| {
        d.set("t:{completed}", "u:m", "11 0 2 0")
    }),
    (Rule::Usage, "tokens of another model", |d| {
        d.set("t:{completed}", "u:n", "10 0 2 0")
    }),
    (Rule::Usage, "bytes of no entry", |d| {
        d.push("t:{queued}:m", "{}")
    }),
    (Rule::Steering, "a message that was dropped", |d| {
        d.remove("t:{processing}:s")
    }),
    (Rule::Steering, "a message that nobody sent", |d| {
        d.push("t:{processing}:s", "{}")
    }),
    (Rule::Steering, "applied without an event", |d| {
        d.push("t:{queued}:m", r#"{"t":"steer"}"#)
    }),
    (Rule::Events, "an event that cannot be read", |d| {
        d.push("t:{queued}:e", "now")
    }),
    (Rule::Events, "an event of the past", |d| {
        d.push("t:{queued}:e", "1 0 0 agent_output {}")
    }),
    (Rule::Counts, "a wrong counter", |d| {
        d.set("n", "a:queued", "7")
    }),
    (Rule::Counts, "a counter of nothing", |d| {
        d.set("n", "b:failed", "1")
    }),
    (Rule::Counts, "two wake-ups", |d| d.push("wake:a", "1")),
];

#[tokio::test]
async fn each_damage_is_seen() {
    let w = World::new(crate::world::On::Server(4)).await;
    seed(&w).await;
    let healthy = w.snapshot();
    assert_eq!(check_keyspace(&healthy), [], "{healthy}");
    for (rule, name, injure) in INJURIES {
        let mut damage = Damage {
            w: &w,
            keyspace: healthy.clone(),
        };
        injure(&mut damage);
        let found = check_keyspace(&damage.keyspace);
        assert!(
            found.iter().any(|v| v.rule == *rule),
            "{name}: {rule:?} is not in {found:?}"
        );
    }
}
