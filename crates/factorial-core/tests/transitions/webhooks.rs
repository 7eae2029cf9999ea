//! Webhooks: who is told of what, from an outbox that is written with the event.

use std::time::Duration;

use factorial_core::{
    AddedWebhook, BatchId, Delivery, DeliveryId, DeliveryState, EventType, FinishOutcome, Held,
    Leased, NewBatch, NewEvent, ParkedFor, Receiver, Settled, Subject, TaskState, TaskWebhook,
    WaitKind, Webhook, WebhookEvent, WebhookId,
};
use serde_json::json;
use ulid::Ulid;

use crate::world::{LEASE, World, asks, call, completed, failed, owner, turn};

const TRY: Duration = Duration::from_secs(60);
const TOOK: Duration = Duration::from_millis(12);

fn to(url: &str, events: &[WebhookEvent]) -> Receiver {
    Receiver {
        url: url.to_owned(),
        events: events.to_vec(),
        secret: None,
    }
}

fn hook(id: &str, of: &str, events: &[WebhookEvent]) -> Webhook {
    Webhook {
        id: WebhookId::new(format!("wh_{id}")).unwrap(),
        owner: owner(of),
        receiver: to(&format!("https://{id}.example/"), events),
        created_ms: 1_700_000_000_000,
        on: true,
    }
}

async fn add(w: &World, id: &str, of: &str, events: &[WebhookEvent]) -> WebhookId {
    let new = hook(id, of, events);
    let added = w.store().add_webhook(&new).await.unwrap();
    assert_eq!(added, AddedWebhook::Added);
    new.id
}

async fn held_with(w: &World, name: &str, webhook: TaskWebhook) -> Held {
    w.enqueue_with(name, |task| task.webhook = Some(webhook))
        .await;
    w.claim(1).await.remove(0).held
}

async fn held_with_own(w: &World, name: &str) -> Held {
    held_with(w, name, TaskWebhook::Own(to("https://x/", &[]))).await
}

async fn finish(w: &World, held: &Held) {
    let ended = w.store().finish(held, &completed(1, 1), LEASE).await;
    assert_eq!(ended.unwrap(), FinishOutcome::Finished);
}

async fn due(w: &World) -> Vec<Leased> {
    w.store()
        .due_deliveries(w.partition, 10, TRY)
        .await
        .unwrap()
        .due
}

/// Waits for another millisecond: leases of one delivery are told apart by when they end.
async fn tick(w: &World) {
    let now = w.store().now_ms().await.unwrap();
    while w.store().now_ms().await.unwrap() <= now {}
}

/// Lets a lease lapse, and leases the delivery again.
async fn lapsed(w: &World, leased: &Leased) -> Leased {
    tick(w).await;
    let _: i64 = w.raw("ZADD", "outbox", &["1", leased.delivery.id.as_str()]);
    due(w).await.remove(0)
}

/// `<name of the task or batch> <seq> <type> <webhook>`, a line each.
fn told<'a>(w: &World, deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<String> {
    let mut lines: Vec<String> = deliveries
        .into_iter()
        .map(|d| {
            let id = match &d.subject {
                Subject::Task(task, _) => task.clone(),
                Subject::Batch(batch) => batch.as_str().parse().unwrap(),
            };
            let webhook = d.id.as_str().rsplit('.').next().unwrap();
            format!(
                "{} {} {} {webhook}",
                w.name_of(&id),
                d.event.seq,
                d.event.event_type
            )
        })
        .collect();
    lines.sort();
    lines
}

fn of(leased: &[Leased]) -> impl Iterator<Item = &Delivery> {
    leased.iter().map(|l| &l.delivery)
}

async fn settle(w: &World, leased: &Leased, outcome: Settled, said: &str) -> bool {
    let settled = w.store().settle_delivery(leased, outcome, said, TOOK).await;
    settled.unwrap()
}

async fn settle_all(w: &World) {
    for leased in due(w).await {
        assert!(settle(w, &leased, Settled::Delivered, "204").await);
    }
}

async fn delivery(w: &World, id: &DeliveryId) -> Delivery {
    w.store().delivery(id).await.unwrap().unwrap()
}

async fn batch(w: &World, members: u64, webhook: Option<Receiver>) -> BatchId {
    let id = BatchId::new(w.partition, Ulid::from_parts(1_700_000_000_000, 1 << 40));
    w.known("X", &id.as_str().parse().unwrap());
    let new = NewBatch {
        id,
        owner: owner("o"),
        members,
        turns_each: None,
        webhook,
        metadata: [].into(),
        idempotency: None,
    };
    w.store().open_batch(&new).await.unwrap();
    for index in 0..members {
        w.known(&format!("M{index}"), &new.id.member(index));
        let mut task = w.task(&format!("unused{index}"));
        task.id = new.id.member(index);
        task.batch = Some(new.id.clone());
        task.webhook = new.webhook.is_some().then_some(TaskWebhook::OfBatch);
        w.store().enqueue(&task).await.unwrap();
    }
    w.store().seal_batch(&new.id, false).await.unwrap();
    new.id
}

on_each! {
    async fn the_end_of_a_task_is_in_the_outbox_in_the_same_step(w) {
        let held = held_with_own(w, "A").await;
        w.step(w.store().finish(&held, &failed(1, 1), LEASE), FinishOutcome::Finished, r#"
            + d:A.3.task agent = a
            + d:A.3.task attempts = 0
            + d:A.3.task base = 0
            + d:A.3.task created = now
            + d:A.3.task event = now 1 0 run_failed {"kind":"model_error","message":"no","status":500}
            + d:A.3.task log = A
            + d:A.3.task owner = o
            + d:A.3.task since = now
            + d:A.3.task to = - * https://x/
            + dl:A expires
            + dl:A[0] = A.3.task
            + done:failed A = now
            - lease A = later
            + mt:a:86400000:past failed = 1
            + mt:a:86400000:past r_ = 1
            + n a:failed = 1
            ~ n a:processing: 1 -> 0
            + outbox A.3.task = now
            + t:A failure = {"kind":"model_error","message":"no","status":500}
            + t:A finished = now
            ~ t:A state: processing -> failed
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 0 run_failed {"kind":"model_error","message":"no","status":500}
        "#).await;
    }

    async fn only_what_was_asked_for_is_told(w) {
        let own = TaskWebhook::Own(to("https://x/", &[WebhookEvent::RunFailed]));
        let held = held_with(w, "A", own.clone()).await;
        finish(w, &held).await;
        let held = held_with(w, "B", own).await;
        w.store().finish(&held, &failed(1, 1), LEASE).await.unwrap();
        finish(w, &w.held("C").await).await;
        assert_eq!(told(w, of(&due(w).await)), ["B 3 run_failed task"]);
    }

    async fn waits_are_told(w) {
        let held = held_with_own(w, "A").await;
        let mut commit = turn(1, 1, 1);
        commit.waits = vec![asks(WaitKind::Caller, call("c1"))];
        for event_type in [EventType::ToolDeferred, EventType::ToolStarted, EventType::ApprovalRequested] {
            commit.events.push(NewEvent::new(event_type, 1, json!({"call_id": "c1"})));
        }
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        w.store().park(&held, 2, ParkedFor::Answers, LEASE).await.unwrap();
        w.store().cancel(&held.id, None).await.unwrap();
        assert_eq!(told(w, of(&due(w).await)), [
            "A 4 tool_call_deferred task", "A 6 approval_requested task", "A 7 run_parked task", "A 8 run_cancelled task",
        ]);
    }

    async fn owners_are_told_of_all_that_is_theirs(w) {
        add(w, "all", "o", &[]).await;
        add(w, "failed", "o", &[WebhookEvent::RunFailed]).await;
        add(w, "other", "somebody", &[]).await;
        finish(w, &w.held("A").await).await;
        let held = held_with_own(w, "B").await;
        w.store().finish(&held, &failed(1, 1), LEASE).await.unwrap();
        batch(w, 0, None).await;
        let expected = [
            "A 3 run_completed wh_all", "B 3 run_failed task", "B 3 run_failed wh_all", "B 3 run_failed wh_failed",
            "X 2 batch_completed wh_all",
        ];
        // `batch_progress` of an empty batch is its second event, its end the third.
        let found = told(w, of(&due(w).await));
        assert_eq!(found[..4], expected[..4]);
        assert!(found[4].starts_with("X ") && found[4].ends_with("batch_completed wh_all"), "{found:?}");
        // Of the task itself, both kinds.
        let listed = w.store().task_deliveries(&w.id("B")).await.unwrap();
        assert_eq!(told(w, &listed), expected[1..4]);
        let listed = w.store().webhook_deliveries(&"wh_all".parse().unwrap()).await.unwrap();
        assert_eq!(listed.len(), 3);
    }

    async fn a_webhook_that_is_gone_or_off_is_not_told(w) {
        let id = add(w, "one", "o", &[]).await;
        let off = add(w, "two", "o", &[]).await;
        finish(w, &w.held("A").await).await;
        assert!(w.store().remove_webhook(&id, &owner("o")).await.unwrap());
        assert!(!w.store().remove_webhook(&id, &owner("o")).await.unwrap());
        w.store().switch_off_webhook(&off, &owner("o")).await.unwrap();
        finish(w, &w.held("B").await).await;
        assert_eq!(told(w, of(&due(w).await)), ["A 3 run_completed wh_one", "A 3 run_completed wh_two"]);
        let hooks: i64 = w.raw("EXISTS", "hooks", &[]);
        assert_eq!(hooks, 0, "nothing is looked up any more");
        // Adding it again switches it on.
        let again = Webhook { id: "wh_three".parse().unwrap(), ..hook("two", "o", &[]) };
        assert_eq!(w.store().add_webhook(&again).await.unwrap(), AddedWebhook::Exists(off.clone()));
        finish(w, &w.held("C").await).await;
        settle_all(w).await;
        assert_eq!(told(w, of(&due(w).await)), Vec::<String>::new());
        assert_eq!(w.store().task_deliveries(&w.id("C")).await.unwrap().len(), 1);
        let all = w.store().owner_webhooks(&owner("o")).await.unwrap();
        assert_eq!(all.iter().map(|h| (&h.id, h.on)).collect::<Vec<_>>(), [(&off, true)]);
    }

    async fn an_owner_has_sixteen(w) {
        for i in 0..16 {
            add(w, &format!("h{i}"), "o", &[]).await;
        }
        let more = w.store().add_webhook(&hook("more", "o", &[])).await.unwrap();
        assert_eq!(more, AddedWebhook::Full);
        add(w, "more", "somebody", &[]).await;
        assert_eq!(w.store().owner_webhooks(&owner("o")).await.unwrap().len(), 16);
    }

    async fn a_change_that_was_not_finished_is_known(w) {
        let id = add(w, "one", "o", &[]).await;
        let changed = w.store().owners_with_changed_webhooks().await.unwrap();
        assert_eq!(changed, []);
        // As a gateway leaves it that dies in between.
        let key = format!("{{{}}}:webhooks:changed", w.store().namespace());
        let _: i64 = w.test.raw(&["HSET", &key, "o", "999"]);
        let _: i64 = w.raw("DEL", "hooks", &[]);
        assert_eq!(w.store().owners_with_changed_webhooks().await.unwrap(), [owner("o")]);
        let _: i64 = w.test.raw(&["HSET", &format!("{{{}}}:webhooks:owners", w.store().namespace()), "o", &format!("999 {id}")]);
        w.store().spread_webhooks(&owner("o")).await.unwrap();
        assert_eq!(w.store().owners_with_changed_webhooks().await.unwrap(), []);
        let line: String = w.raw("HGET", "hooks", &["o"]);
        assert_eq!(line, "999\nwh_one *");
    }

    async fn a_batch_tells_of_its_members(w) {
        let events = [WebhookEvent::BatchCompleted, WebhookEvent::RunFailed];
        let id = batch(w, 3, Some(to("https://b/", &events))).await;
        let claimed = w.claim(3).await;
        for (i, claimed) in claimed.iter().enumerate() {
            let end = if i == 0 { completed(1, 1) } else { failed(1, 1) };
            w.store().finish(&claimed.held, &end, LEASE).await.unwrap();
        }
        let found = due(w).await;
        let lines = told(w, of(&found));
        assert_eq!(lines[..2], ["M1 3 run_failed batch", "M2 3 run_failed batch"]);
        assert!(lines[2].ends_with("batch_completed batch"), "{lines:?}");
        assert_eq!(w.store().batch_deliveries(&id).await.unwrap().len(), 3);
        assert_eq!(w.store().task_deliveries(&w.id("M1")).await.unwrap().len(), 1);
        // Its receiver wants no more.
        assert!(settle(w, &found[0], Settled::Gone, "410").await);
        let kept: i64 = w.raw("EXISTS", "b:{X}:h", &[]);
        assert_eq!(kept, 0);
    }

    async fn a_delivery_is_handed_out_once_and_ends_once(w) {
        let held = held_with_own(w, "A").await;
        finish(w, &held).await;
        let leased = due(w).await.remove(0);
        assert_eq!(due(w).await.len(), 0);
        let next = w.store().due_deliveries(w.partition, 10, TRY).await.unwrap().next.unwrap();
        assert!(next > TRY / 2 && next <= TRY, "{next:?}");
        // Its lease is over, and somebody else has it.
        let second = lapsed(w, &leased).await;
        assert!(!settle(w, &leased, Settled::Again(TRY), "500").await);
        w.step(w.store().settle_delivery(&second, Settled::Delivered, "204", TOOK), true, r#"
            + d:A.3.task expires
            ~ d:A.3.task attempts: 0 -> 1
            + d:A.3.task ended = now
            + d:A.3.task said = 204
            + d:A.3.task state = delivered
            + d:A.3.task took = 12
            + d:A.3.task tried = now
            - outbox A.3.task = later
        "#).await;
        assert!(!settle(w, &second, Settled::Delivered, "204").await);
        assert!(!settle(w, &leased, Settled::Failed, "500").await);
        assert_eq!(delivery(w, &second.delivery.id).await.state, DeliveryState::Delivered);
    }

    async fn a_success_counts_however_late(w) {
        let held = held_with_own(w, "A").await;
        finish(w, &held).await;
        let leased = due(w).await.remove(0);
        let second = lapsed(w, &leased).await;
        assert!(settle(w, &leased, Settled::Delivered, "204").await);
        assert!(!settle(w, &second, Settled::Failed, "500").await);
    }

    async fn what_fails_is_tried_again_until_it_is_given_up_and_then_when_asked(w) {
        let held = held_with_own(w, "A").await;
        finish(w, &held).await;
        let first = due(w).await.remove(0);
        assert!(settle(w, &first, Settled::Again(TRY), "timeout").await);
        let now = delivery(w, &first.delivery.id).await;
        assert_eq!((now.attempts, now.state, now.said.as_deref()), (1, DeliveryState::Pending, Some("timeout")));
        assert!(due(w).await.is_empty());
        let _: i64 = w.raw("ZADD", "outbox", &["1", first.delivery.id.as_str()]);
        let second = due(w).await.remove(0);
        assert_eq!((second.delivery.attempts, second.delivery.attempts_before), (1, 0));
        assert!(settle(w, &second, Settled::Failed, "500").await);
        assert_eq!(delivery(w, &first.delivery.id).await.state, DeliveryState::Failed);
        let id = &first.delivery.id;
        assert!(!w.store().retry_delivery(id, Some(&owner("somebody"))).await.unwrap());
        assert!(w.store().retry_delivery(id, Some(&owner("o"))).await.unwrap());
        let third = due(w).await.remove(0);
        assert_eq!((third.delivery.attempts, third.delivery.attempts_before), (2, 2));
        assert_eq!(third.delivery.state, DeliveryState::Pending);
        assert!(settle(w, &third, Settled::Delivered, "200").await);
        let none = DeliveryId::new(&format!("{}.99.task", w.id("A"))).unwrap();
        assert!(!w.store().retry_delivery(&none, None).await.unwrap());
    }

    async fn what_is_put_back_comes_again_and_counts_nothing(w) {
        let held = held_with_own(w, "A").await;
        finish(w, &held).await;
        let leased = due(w).await;
        let later: Vec<_> = leased.iter().map(|l| (l.clone(), Duration::ZERO)).collect();
        w.store().defer_deliveries(w.partition, &later).await.unwrap();
        tick(w).await;
        let again = due(w).await;
        assert_eq!((again.len(), again[0].delivery.attempts), (1, 0));
        // Somebody else has it by now.
        w.store().defer_deliveries(w.partition, &later).await.unwrap();
        assert!(due(w).await.is_empty());
    }

    async fn a_receiver_that_wants_no_more_is_taken_off_its_task(w) {
        let held = held_with_own(w, "A").await;
        let commit = factorial_core::Commit { waits: vec![asks(WaitKind::Caller, call("c1"))], ..turn(1, 1, 1) };
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        w.store().park(&held, 2, ParkedFor::Answers, LEASE).await.unwrap();
        let leased = due(w).await.remove(0);
        assert!(settle(w, &leased, Settled::Gone, "410").await);
        w.store().cancel(&held.id, None).await.unwrap();
        assert!(due(w).await.is_empty());
        assert_eq!(delivery(w, &leased.delivery.id).await.state, DeliveryState::Failed);
    }

    async fn a_delivery_outlives_its_task(w) {
        let held = held_with_own(w, "A").await;
        finish(w, &held).await;
        let gone = w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 10).await.unwrap();
        assert_eq!(gone.count, 1);
        let leased = due(w).await.remove(0);
        assert_eq!(leased.delivery.receiver.as_ref().unwrap().url, "https://x/");
        assert_eq!(w.store().task_deliveries(&held.id).await.unwrap().len(), 1);
        assert!(settle(w, &leased, Settled::Delivered, "200").await);
    }

    async fn a_task_with_a_webhook_is_not_plain(w) {
        w.enqueue("A").await;
        w.enqueue_with("B", |task| task.webhook = Some(TaskWebhook::Own(to("https://x/", &[])))).await;
        for claimed in w.claim(2).await {
            let plain = factorial_core::Plain::of(&claimed.record).is_some();
            assert_eq!(plain, claimed.held.id == w.id("A"));
        }
    }
}

on_servers! {
    async fn the_log_of_a_webhook_keeps_the_last(w) {
        let id = add(w, "one", "o", &[]).await;
        let mut first = None;
        for i in 0..203 {
            let name = format!("T{i}");
            let task = w.enqueue(&name).await;
            w.store().cancel(&task, None).await.unwrap();
            // The first one has ended when it falls out, the others have not.
            if i == 0 {
                let leased = due(w).await.remove(0);
                first = Some(leased.delivery.id.clone());
                assert!(settle(w, &leased, Settled::Delivered, "200").await);
            }
        }
        let listed = w.store().webhook_deliveries(&id).await.unwrap();
        assert_eq!(listed.len(), 200);
        assert!(w.store().delivery(&first.unwrap()).await.unwrap().is_none());
        let mut ended = 0;
        loop {
            let leased = due(w).await;
            if leased.is_empty() {
                break;
            }
            for leased in leased {
                assert!(settle(w, &leased, Settled::Delivered, "200").await);
                ended += 1;
            }
        }
        assert_eq!(ended, 202, "those that fell out are delivered all the same");
        let keys: Vec<String> = w.snapshot().keys.into_keys().filter(|k| k.contains("}:d:")).collect();
        assert_eq!(keys.len(), 200);
    }
}
