//! The invariants themselves: a healthy namespace has no violation, and each damage to it is seen.

use std::time::Duration;

use factorial_core::{BatchId, Commit, NewBatch, NewWait, Start, WaitKind};
use factorial_tests::{Content, Keyspace, Stored, invariants::check_keyspace};

use crate::{
    injuries::INJURIES,
    world::{
        LEASE, World, approval, asks, call, child_of, completed, failed, failure, owner, turn,
    },
};

/// A task in each state, with a parent that waits, steering, usage and a batch.
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
    w.child("child", &held[3], Some(child_of("call"))).await;
    let operator = NewWait {
        timeout: Some(LEASE),
        ..asks(WaitKind::Operator, call("c2"))
    };
    let waits = Commit {
        write: 1,
        known: 1,
        waits: vec![operator, asks(WaitKind::Approval, approval("c3"))],
        ..Commit::default()
    };
    store.commit(&held[3], &waits, false, LEASE).await.unwrap();
    batch(w).await;
    w.steer(&held[3].id, "c", &["one"]).await;
}

/// A batch of two members, of which one has ended.
async fn batch(w: &World) {
    let id: BatchId = w.name("batch").as_str().parse().unwrap();
    let new = NewBatch {
        id: id.clone(),
        owner: owner("o"),
        members: 2,
        turns_each: None,
        webhook: None,
        metadata: [].into(),
        idempotency: None,
    };
    w.store().open_batch(&new).await.unwrap();
    for name in ["member", "ended"] {
        w.enqueue_with(name, |t| t.batch = Some(id.clone())).await;
    }
    w.store().seal_batch(&id, false).await.unwrap();
    w.store().cancel(&w.id("ended"), None).await.unwrap();
}

/// A hand in the keyspace: keys by the names of [`World::key`].
pub(crate) struct Damage<'a> {
    pub(crate) w: &'a World,
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

    pub(crate) fn set(&mut self, key: &str, field: &str, value: &str) {
        let Content::Hash(fields) = self.content(key) else {
            panic!("{key} is no hash")
        };
        fields.insert(field.to_owned(), value.to_owned());
    }

    pub(crate) fn push(&mut self, key: &str, item: &str) {
        let empty = || Stored {
            content: Content::List(Vec::new()),
            expires: false,
        };
        let stored = self
            .keyspace
            .keys
            .entry(self.w.key(key))
            .or_insert_with(empty);
        let Content::List(items) = &mut stored.content else {
            panic!("{key} is no list")
        };
        items.push(item.to_owned());
    }

    pub(crate) fn add(&mut self, key: &str, task: &str, score: i64) {
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

    pub(crate) fn take(&mut self, key: &str, task: &str) {
        let id = self.w.id(task).to_string();
        let Content::Sorted(members) = self.content(key) else {
            panic!("{key} is not sorted")
        };
        assert!(members.remove(&id).is_some());
    }

    pub(crate) fn take_text(&mut self, key: &str, member: &str) {
        let member = member.replace("{processing}", self.w.id("processing").as_str());
        let Content::Sorted(members) = self.content(key) else {
            panic!("{key} is not sorted")
        };
        assert!(members.remove(&member).is_some());
    }

    pub(crate) fn remove(&mut self, key: &str) {
        assert!(
            self.keyspace.keys.remove(&self.w.key(key)).is_some(),
            "{key}"
        );
    }

    pub(crate) fn text(&mut self, key: &str) {
        let stored = Stored {
            content: Content::Text(String::new()),
            expires: false,
        };
        self.keyspace.keys.insert(self.w.key(key), stored);
    }
}

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
