//! Results as they are streamed.

use std::collections::BTreeSet;

use factorial_client::Client;
use factorial_core::{BatchId, TaskId};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::batch;
use crate::support::{Gateway, gateway};

async fn results(gateway: &Gateway, path: &str) -> Vec<Value> {
    let response = gateway
        .request(reqwest::Method::GET, path)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Members are accepted many at once, and start in about their order.
fn index(batch: &BatchId, task: &TaskId) -> u64 {
    (0..200).find(|n| batch.member(*n) == *task).unwrap()
}

fn indexes(results: &[Value]) -> Vec<u64> {
    results
        .iter()
        .map(|r| r["index"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn come_in_order_with_what_members_gave() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 200, "").await;
    let path = format!("/v1/batches/{id}/results");
    assert_eq!(results(&gateway, &path).await, Vec::<Value>::new());
    // Every third fails, the 20 that start last are cancelled.
    let mut ran = BTreeSet::new();
    for _ in 0..180 {
        let mut claimed = hand.claim().await;
        let n = index(&id, &claimed.held.id);
        hand.turn(&mut claimed, 1, 0, "text").await;
        ran.insert(n);
        match n % 3 {
            0 => hand.complete(&claimed, Some(json!({"n": n}))).await,
            1 => hand.complete(&claimed, None).await,
            _ => hand.fail(&claimed).await,
        }
    }
    gateway
        .post(&format!("/v1/batches/{id}/cancel"), &json!({}))
        .await;

    assert!((3..6).all(|n| ran.contains(&n)), "{ran:?}");
    let all = results(&gateway, &path).await;
    assert_eq!(indexes(&all), (0..200).collect::<Vec<_>>());
    let usage = json!({
        "input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 5, "reasoning_tokens": 0,
    });
    let head = |n: u64| json!({"index": n, "task_id": id.member(n).as_str(), "custom_id": format!("c{n}")});
    let expect = |n: u64, rest: Value| {
        let mut line = head(n);
        for (name, value) in rest.as_object().unwrap() {
            line[name] = value.clone();
        }
        line
    };
    assert_eq!(
        all[3],
        expect(
            3,
            json!({"status": "completed", "output": {"n": 3}, "usage": usage, "cost_usd_micros": 0})
        )
    );
    assert_eq!(
        all[4],
        expect(
            4,
            json!({"status": "completed", "output": "text", "usage": usage, "cost_usd_micros": 0})
        )
    );
    let failure = json!({"kind": "authentication", "message": "no", "provider_status": 401});
    assert_eq!(
        all[5],
        expect(
            5,
            json!({"status": "failed", "failure": failure, "usage": usage, "cost_usd_micros": 0})
        )
    );
    let cancelled: Vec<u64> = (0..200).filter(|n| !ran.contains(n)).collect();
    let failed: Vec<u64> = ran.iter().copied().filter(|n| n % 3 == 2).collect();
    for n in &cancelled {
        assert_eq!(
            all[usize::try_from(*n).unwrap()]["cancel_reason"],
            "batch cancelled"
        );
    }

    let cursor = async |query: &str| indexes(&results(&gateway, &format!("{path}?{query}")).await);
    assert_eq!(cursor("starting_after=197").await, [198, 199]);
    assert_eq!(cursor("starting_after=199").await, Vec::<u64>::new());
    assert_eq!(cursor("starting_after=5000000").await, Vec::<u64>::new());
    assert_eq!(cursor("limit=3").await, [0, 1, 2]);
    let some = failed.iter().copied().filter(|n| *n > 100).take(2);
    let some: Vec<u64> = some.collect();
    assert_eq!(
        cursor("status=failed&starting_after=100&limit=2").await,
        some
    );
    assert_eq!(cursor("status=failed").await, failed);
    assert_eq!(cursor("status=cancelled").await, cancelled);
    for bad in [
        "status=queued",
        "status=x",
        "limit=0",
        "starting_after=-1",
        "colour=1",
    ] {
        let answer = gateway.get(&format!("{path}?{bad}")).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    // By pages.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = cursor(&format!("limit=7{after}")).await;
        let Some(last) = page.last() else { break };
        after = format!("&starting_after={last}");
        seen.extend(page);
    }
    assert_eq!(seen, indexes(&all));

    let client: Client = gateway.client();
    let read = client.batch_results(id.as_str(), Some(9), None);
    let read: Vec<_> = read.try_collect().await.unwrap();
    assert_eq!(read.len(), 190);
    let events: Vec<_> = client.batch_events(id.as_str(), 0).collect().await;
    let last = events.last().unwrap().as_ref().unwrap();
    assert_eq!(last.event_type, "batch_cancelled");
}

#[tokio::test]
async fn members_that_run_come_later() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 3, "").await;
    let (first, second) = (hand.claim().await, hand.claim().await);
    let (one, two) = (index(&id, &first.held.id), index(&id, &second.held.id));
    hand.complete(&second, Some(json!(2))).await;
    let path = format!("/v1/batches/{id}/results");
    assert_eq!(indexes(&results(&gateway, &path).await), [two]);
    hand.complete(&first, Some(json!(1))).await;
    let both = [one.min(two), one.max(two)];
    assert_eq!(indexes(&results(&gateway, &path).await), both);
}
