//! Trees of tasks.

use factorial_core::{Claimed, WaitKey};
use serde_json::{Value, json};

use crate::support::{Gateway, Hand, gateway};

fn key(call: &str, index: u32) -> Option<WaitKey> {
    Some(WaitKey::Child(call.to_owned(), index))
}

/// A root with the children c/0 and c/1 and one that is not awaited; c/0 has two children, c/1 has failed.
async fn family(gateway: &Gateway, hand: &Hand) -> (String, Claimed) {
    let root = gateway.submit(&json!({})).await;
    let mut claimed = hand.claim().await;
    hand.spend(&mut claimed, 1, 100).await;
    hand.spawn(&claimed, key("c", 0), "writer").await;
    let mut first = hand.claim().await;
    hand.spend(&mut first, 1, 10).await;
    hand.spawn(&first, key("d", 0), "reader").await;
    hand.spawn(&first, None, "reader").await;
    hand.spawn(&claimed, key("c", 1), "writer").await;
    let mut second = hand.claim().await;
    hand.spend(&mut second, 1, 7).await;
    hand.fail(&second).await;
    hand.spawn(&claimed, None, "reader").await;
    (root, first)
}

fn shape(node: &Value) -> Value {
    let children: Vec<_> = node["children"]
        .as_array()
        .into_iter()
        .flatten()
        .map(shape)
        .collect();
    json!([
        node["agent"],
        node["status"],
        node["depth"],
        node["call_id"],
        children
    ])
}

#[tokio::test]
async fn three_levels() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let (root, first) = family(&gateway, &hand).await;
    let tree = gateway
        .get(&format!("/v1/tasks/{root}/tree?owner_id=o1"))
        .await;
    assert_eq!(tree.status, 200, "{tree:?}");
    let leaf = |call: Value, depth: u32| json!(["reader", "queued", depth, call, []]);
    assert_eq!(
        shape(&tree.body["root"]),
        json!([
            "writer",
            "processing",
            0,
            null,
            [
                [
                    "writer",
                    "processing",
                    1,
                    "c",
                    [leaf(json!("d"), 2), leaf(Value::Null, 2)]
                ],
                ["writer", "failed", 1, "c", []],
                leaf(Value::Null, 1),
            ]
        ])
    );
    let failed = &tree.body["root"]["children"][1];
    assert_eq!(
        (
            &failed["failure_kind"],
            &failed["cost_usd_micros"],
            &failed["turns"]
        ),
        (&json!("authentication"), &json!(7), &json!(1))
    );
    assert!(failed["finished_at"].is_string());
    let usage = |input: u64, output: u64| {
        json!({
            "input_tokens": input, "cached_input_tokens": 0, "output_tokens": output, "reasoning_tokens": 0,
        })
    };
    assert_eq!(
        tree.body["totals"],
        json!({
            "tasks": 6, "by_status": {"failed": 1, "processing": 2, "queued": 3}, "usage": usage(30, 15), "cost_usd_micros": 117,
        })
    );
    assert_eq!(
        tree.body["descendants"],
        json!({"ended": 1, "usage": usage(10, 5), "cost_usd_micros": 7})
    );
    assert_eq!(tree.body["truncated"], false);

    let task = gateway.get(&format!("/v1/tasks/{root}")).await.body;
    assert_eq!(
        (&task["awaiting"], &task["depth"], &task["root_id"]),
        (&json!(1), &json!(0), &Value::Null)
    );
    assert_eq!(task["descendants"]["ended"], 1);
    let child = gateway
        .get(&format!("/v1/tasks/{}", first.held.id))
        .await
        .body;
    assert_eq!(
        (&child["parent_id"], &child["root_id"], &child["depth"]),
        (&json!(root), &json!(root), &json!(1))
    );
    assert!(child["descendants"].is_null());
    // A tree may begin anywhere.
    let below = gateway
        .client()
        .task_tree(first.held.id.as_str(), None, None)
        .await
        .unwrap();
    assert_eq!(
        (
            below.root.children.len(),
            below.totals.tasks,
            below.root.depth
        ),
        (2, 3, 1)
    );
}

#[tokio::test]
async fn the_nearest_come_first() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let (root, _) = family(&gateway, &hand).await;
    for (limit, shown, truncated) in [
        (1, [0, 0], true),
        (2, [1, 0], true),
        (3, [2, 0], true),
        (4, [3, 0], true),
        (5, [3, 1], true),
        (6, [3, 2], false),
        (7, [3, 2], false),
    ] {
        let tree = gateway
            .get(&format!("/v1/tasks/{root}/tree?limit={limit}"))
            .await
            .body;
        let children = tree["root"]["children"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let below: usize = children
            .iter()
            .map(|c| c["children"].as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(
            ([children.len(), below], &tree["truncated"]),
            (shown, &json!(truncated)),
            "{limit}"
        );
        assert_eq!(tree["totals"]["tasks"], 1 + children.len() + below);
        assert_eq!(tree["descendants"]["ended"], 1);
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("depth=3", "depth"),
        ("owner_id=", "owner_id"),
    ] {
        let refused = gateway.get(&format!("/v1/tasks/{root}/tree?{query}")).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]));
    }
    let foreign = gateway
        .get(&format!("/v1/tasks/{root}/tree?owner_id=o2"))
        .await;
    assert_eq!((foreign.status, foreign.code()), (404, "task_not_found"));
}

#[tokio::test]
async fn a_wide_one_without_those_that_have_expired() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let root = gateway.submit(&json!({})).await;
    let claimed = hand.claim().await;
    let gone = hand.spawn(&claimed, None, "writer").await;
    hand.complete(&hand.claim().await, None).await;
    for _ in 0..700 {
        hand.spawn(&claimed, None, "reader").await;
    }
    let partition = gone.partition();
    let state = factorial_core::TaskState::Completed;
    crate::support::eventually("expiry", async || {
        let expired = gateway
            .store
            .expire(partition, state, std::time::Duration::ZERO, 10)
            .await
            .unwrap();
        (expired.count == 1).then_some(())
    })
    .await;
    let tree = gateway
        .get(&format!("/v1/tasks/{root}/tree?limit=5000"))
        .await
        .body;
    assert_eq!(
        (&tree["totals"]["tasks"], &tree["truncated"]),
        (&json!(701), &json!(false))
    );
    assert_eq!(tree["descendants"]["ended"], 1);
    let usual = gateway.get(&format!("/v1/tasks/{root}/tree")).await.body;
    assert_eq!(
        (&usual["totals"]["tasks"], &usual["truncated"]),
        (&json!(500), &json!(true))
    );
}
