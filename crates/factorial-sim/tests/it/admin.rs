//! Behaviours by admin call, header and directive, and what the server remembers.

use std::time::Instant;

use factorial_sim::{Behaviour, Fault, ReplyKind, SimConfig, Stats};
use serde_json::{Value, json};

use crate::support::*;

async fn statuses(h: &Harness, count: usize) -> Vec<u16> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(h.post(&ask("hello")).await.status().as_u16());
    }
    seen
}

#[tokio::test]
async fn behaviours_by_admin_call() {
    let h = Harness::start().await;
    let set = async |body: Value| {
        let sent = h.http.post(h.admin("behaviour")).json(&body).send().await;
        sent.unwrap().status().as_u16()
    };
    assert_eq!(
        set(json!({"fault": {"status": {"status": 429}}, "requests": 2})).await,
        204
    );
    assert_eq!(statuses(&h, 3).await, [429, 429, 200]);
    let sequence = json!([{"requests": 1}, {"fault": {"status": {"status": 500}}, "requests": 1},
        {"fault": {"status": {"status": 503}}}]);
    assert_eq!(set(sequence).await, 204);
    assert_eq!(statuses(&h, 4).await, [200, 500, 503, 503]);
    assert_eq!(
        h.http.post(h.admin("reset")).send().await.unwrap().status(),
        204
    );
    assert_eq!(statuses(&h, 1).await, [200]);
    let stats: Stats = h
        .http
        .get(h.admin("stats"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((stats.total, stats.current, stats.peak), (1, 0, 1));
    assert_eq!(stats.by_status, [(200, 1)].into());
    assert_eq!(stats, h.sim.stats());

    for bad in [
        json!({"fault": "explode"}),
        json!({"latency": 5}),
        json!({"fault": {"status": {"status": 200}}}),
        json!({"failure_rate": 1.5}),
        json!({"fault": {"huge": {"bytes": 1_u64 << 40}}}),
        json!({"fault": {"status": {"status": 429, "retry_after": {"text": "a\nb"}}}}),
        json!([{}, 5]),
        json!("text"),
    ] {
        assert_eq!(set(bad.clone()).await, 400, "{bad}");
    }
    assert_eq!(statuses(&h, 1).await, [200]);
}

#[tokio::test]
async fn the_first_requests_fail() {
    let h = Harness::start().await;
    let fails = Behaviour {
        fail_first: Some(2),
        ..Behaviour::status(500)
    };
    h.sim.behave(fails);
    assert_eq!(statuses(&h, 4).await, [500, 500, 200, 200]);
}

#[tokio::test]
async fn a_rate_is_repeatable() {
    let flaky = Behaviour {
        failure_rate: Some(0.5),
        seed: 3,
        ..Behaviour::status(500)
    };
    let one = Harness::faulty(flaky.clone()).await;
    let two = Harness::faulty(flaky).await;
    let seen = statuses(&one, 40).await;
    assert_eq!(seen, statuses(&two, 40).await);
    assert!((10..30).contains(&seen.iter().filter(|status| **status == 500).count()));
}

#[tokio::test]
async fn a_header_wins_and_counts_per_conversation() {
    let h = Harness::faulty(Behaviour::status(503)).await;
    let post = async |text: &str, header: &str| {
        let request = h
            .http
            .post(h.url())
            .json(&ask(text))
            .header("x-sim-behaviour", header);
        request.send().await.unwrap().status().as_u16()
    };
    let twice = r#"{"fault": {"status": {"status": 500}}, "fail_first": 2}"#;
    for text in ["one", "two"] {
        for expected in [500, 500, 200] {
            assert_eq!(post(text, twice).await, expected);
        }
    }
    assert_eq!(post("three", "{}").await, 200);
    assert_eq!(post("three", "nonsense").await, 400);
    assert_eq!(statuses(&h, 1).await, [503]);
}

#[tokio::test]
async fn a_directive_carries_a_behaviour() {
    let h = Harness::start().await;
    let text = r#"go [[sim:behaviour={"fault":{"status":{"status":429,"retry_after":{"seconds":1}}},"fail_first":1}]]"#;
    let response = h.post(&ask(text)).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(h.post(&ask(text)).await.status(), 200);
}

#[tokio::test]
async fn behaviours_choose_their_requests() {
    let h = Harness::start().await;
    h.sim.behave_all(vec![
        Behaviour::fault(Fault::InvalidArguments)
            .when(ReplyKind::ToolCall)
            .times(1),
        Behaviour::status(500).for_text("unlucky"),
    ]);
    assert_eq!(h.post(&ask("no tools")).await.status(), 200);
    assert_eq!(h.post(&ask("unlucky one")).await.status(), 500);
    let reply = h.chat(&ask_with_tool("weather")).await;
    serde_json::from_str::<Value>(arguments(&reply)).unwrap_err();
    let reply = h.chat(&ask_with_tool("weather")).await;
    serde_json::from_str::<Value>(arguments(&reply)).unwrap();
}

#[tokio::test]
async fn requests_are_remembered_up_to_a_limit() {
    let config = SimConfig {
        history: 3,
        ..SimConfig::default()
    };
    let h = Harness::with(config).await;
    let begin = Instant::now();
    for n in 0..5 {
        let request = h
            .http
            .post(h.url())
            .json(&ask(&format!("query {n} {}", "é".repeat(3_000))));
        request
            .header("x-factorial-task", format!("t{n}"))
            .send()
            .await
            .unwrap();
    }
    let seen = h.sim.requests();
    assert_eq!(
        seen.iter().map(|r| r.sequence).collect::<Vec<_>>(),
        [2, 3, 4]
    );
    let last = &seen[2];
    assert!(last.last_user_text.starts_with("query 4 é") && last.last_user_text.len() <= 4_096);
    assert_eq!(
        (last.model.as_str(), last.messages, last.tools),
        ("gpt-test", 2, 0)
    );
    assert_eq!(last.task.as_deref(), Some("t4"));
    assert_eq!(
        (last.status, last.stream, last.closed_early),
        (Some(200), false, false)
    );
    assert!(last.arrival >= begin && last.arrival >= seen[1].arrival);

    let listed: Value = h
        .http
        .get(h.admin("requests"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed[2]["task"], "t4");
    assert!(listed[2]["arrival_unix_us"].as_u64().unwrap() > 1_700_000_000_000_000);
}
