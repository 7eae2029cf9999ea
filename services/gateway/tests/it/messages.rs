//! Conversations.

use serde_json::{Value, json};

use crate::support::gateway;

#[tokio::test]
async fn a_conversation_in_pages_of_any_size() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway
        .submit(&json!({"query": "c", "messages": [{"role": "system", "content": "a"}, {"role": "assistant", "content": "b"}]}))
        .await;
    let mut claimed = hand.claim().await;
    let steer = json!({"messages": [{"role": "user", "content": "s"}]});
    assert_eq!(
        gateway
            .post(&format!("/v1/tasks/{id}/steer"), &steer)
            .await
            .status,
        202
    );
    hand.turn(&mut claimed, 1, 0, "r1").await;
    hand.turn(&mut claimed, 2, 0, "r2").await;
    hand.complete(&claimed, Some(json!({"x": 1}))).await;

    let message = |index: u64, turn: u32, role: &str, content: &str| json!({"index": index, "turn": turn, "role": role, "content": content});
    let mut steered = message(4, 1, "user", "s");
    steered["steered"] = true.into();
    let expected = [
        message(0, 0, "system", "a"),
        message(1, 0, "assistant", "b"),
        message(2, 0, "user", "c"),
        message(3, 1, "assistant", "r1"),
        steered,
        message(5, 2, "assistant", "r2"),
    ];
    for limit in 1..=7 {
        let (mut read, mut cursor): (Vec<Value>, _) = (Vec::new(), String::new());
        loop {
            let page = gateway
                .get(&format!("/v1/tasks/{id}/messages?limit={limit}{cursor}"))
                .await;
            assert_eq!(page.status, 200, "{page:?}");
            read.extend(page.body["data"].as_array().unwrap().iter().cloned());
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(read, expected, "pages of {limit}");
    }
    let result = gateway.get(&format!("/v1/tasks/{id}/result")).await;
    assert_eq!(result.body["output"], json!({"x": 1}));
}
