//! What replies spend, in the timeline of the agent: each committed reply once.

use factorial_core::{
    Commit, CommitOutcome, EventType, FinishOutcome, ModelUse, NewEvent, Spent, TaskState, Usage,
};
use serde_json::json;

use crate::{
    seed,
    world::{LEASE, World, completed, owner},
};

/// A reply that has spent something, the nth of its model; its task's totals grow by the same.
fn reply(
    write: u64,
    known: u64,
    turn: u32,
    (model, nth): (&str, u64),
    cost: Option<u64>,
) -> Commit {
    let usage = Usage {
        input: 100 * nth,
        output: 7 * nth,
        ..Usage::default()
    };
    let mut data = json!({ "model": model, "usage": { "input_tokens": 100, "output_tokens": 7 } });
    if let Some(cost) = cost {
        data["cost_usd_micros"] = cost.into();
    }
    Commit {
        write,
        known,
        entries: vec![seed::reply(turn, "text")],
        turns: Some(turn),
        usage: [(model.to_owned(), usage)].into(),
        cost_micros: cost.map(|cost| cost * nth),
        spent: Some(Spent {
            model: model.to_owned(),
            input: 100,
            output: 7,
            cost_micros: cost,
        }),
        events: vec![NewEvent::new(EventType::CompletionCompleted, turn, data)],
        ..Commit::default()
    }
}

async fn used(w: &World, model: &str) -> Option<ModelUse> {
    let buckets = w.store().timeline(&"a".parse().unwrap()).await.unwrap();
    buckets.last().unwrap().models.get(model).copied()
}

on_each! {
    async fn a_commit_that_spends(w) {
        let held = w.held("A").await;
        let commit = reply(1, 1, 1, ("a model", 1), Some(3));
        w.step(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            ~ lease A: later -> now+30s
            + mt:a:86400000:past c:a model = 3
            + mt:a:86400000:past u:a model = 429496729607
            ~ t:A bytes: 26 -> 65
            + t:A cost = 3
            + t:A turns = 1
            + t:A u:a model = 100 0 7 0
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 1 cc {"model":"a model","usage":{"input_tokens":100,"output_tokens":7},"cost_usd_micros":3}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
        "#).await;
        w.refused(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![])).await;
    }

    async fn the_timeline_is_the_sum_of_the_tasks(w) {
        let mut held = Vec::new();
        for name in ["A", "B", "C"] {
            w.enqueue_with(name, |task| task.owner = owner(name)).await;
            held.push(w.claim(1).await.remove(0).held);
        }
        for (n, held) in held.iter().enumerate() {
            let (mut write, mut known) = (0, 1);
            for number in 1..=3 {
                write += 1;
                let model = if n == 0 { "free" } else { "paid" };
                let cost = (n > 0).then_some(5);
                let commit = reply(write, known, number, (model, u64::from(number)), cost);
                // Each of them twice, as after a lost answer.
                for _ in 0..2 {
                    w.store().commit(held, &commit, true, LEASE).await.unwrap();
                }
                known += 1;
            }
            let mut last = completed(write + 1, known);
            let nth = if n == 0 { 1 } else { 4 };
            last.last = reply(write + 1, known, 4, ("paid", nth), Some(5));
            for _ in 0..2 {
                assert_eq!(w.store().finish(held, &last, LEASE).await.unwrap(), FinishOutcome::Finished);
            }
        }
        let mut sums = std::collections::BTreeMap::<String, (u64, u64)>::new();
        for name in ["B", "C"] {
            let task = w.store().task(&w.id(name)).await.unwrap().unwrap();
            for (model, usage) in &task.usage {
                let sum = sums.entry(model.clone()).or_default();
                *sum = (sum.0 + usage.input, sum.1 + usage.output);
            }
            assert_eq!(task.cost_micros, 20);
        }
        assert_eq!(sums["paid"], (800, 56));
        let paid = ModelUse { input: 900, output: 63, cost_micros: Some(45) };
        assert_eq!(used(w, "paid").await, Some(paid));
        let free = ModelUse { input: 300, output: 21, cost_micros: None };
        assert_eq!(used(w, "free").await, Some(free));
    }

    async fn a_reply_that_is_refused_spends_nothing(w) {
        let held = w.held("A").await;
        w.store().cancel(&held.id, None).await.unwrap();
        let commit = reply(1, 1, 1, ("m", 1), Some(5));
        let refused = CommitOutcome::Stale(Some(TaskState::Cancelled));
        assert_eq!(w.store().commit(&held, &commit, false, LEASE).await.unwrap(), refused);
        let held = w.held("B").await;
        let diverged = reply(1, 9, 1, ("m", 1), Some(5));
        assert_eq!(w.store().commit(&held, &diverged, false, LEASE).await.unwrap(), CommitOutcome::Diverged(1));
        assert_eq!(used(w, "m").await, None);
    }

    async fn a_reply_after_which_the_run_goes_on_is_counted(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "1", &["wait"]).await;
        let mut last = completed(1, 1);
        last.last = reply(1, 1, 1, ("m", 1), None);
        let outcome = w.store().finish(&held, &last, LEASE).await.unwrap();
        assert!(matches!(outcome, FinishOutcome::Steered(_)), "{outcome:?}");
        assert_eq!(used(w, "m").await.unwrap().input, 100);
    }

    async fn a_count_that_is_full_does_not_stop_a_commit(w) {
        let held = w.held("A").await;
        let mut commit = reply(1, 1, 1, ("m", 1), Some(1));
        commit.spent = Some(Spent { model: "m".to_owned(), input: u64::MAX, output: u64::MAX, cost_micros: Some(1) });
        let key = w.snapshot().keys.keys().find(|key| key.contains(":mt:a:")).unwrap().clone();
        let _: i64 = w.test.raw(&["HSET", &key, "u:m", "9223372036854775807"]);
        let outcome = w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed(vec![]));
    }

    async fn the_bucket_of_a_commit_expires(w) {
        let held = w.held("A").await;
        let keys: Vec<String> = w.snapshot().keys.keys().filter(|k| k.contains(":mt:")).cloned().collect();
        for key in keys {
            let _: i64 = w.test.raw(&["DEL", &key]);
        }
        w.store().commit(&held, &reply(1, 1, 1, ("m", 1), None), false, LEASE).await.unwrap();
        let key = w.snapshot().keys.keys().find(|key| key.contains(":mt:a:")).unwrap().clone();
        let left: i64 = w.test.raw(&["TTL", &key]);
        assert!(left > 2 * 86_400, "{left}");
    }
}
