//! Bodies of every size and form.

use std::time::Duration;

use bytes::Bytes;
use factorial_core::Entry;
use futures::stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{gateway, raw, submission};

const LIMIT: usize = 1_048_576;

/// A submission of exactly so many bytes.
fn sized(bytes: usize) -> String {
    let empty = submission(&json!({"query": ""})).to_string();
    let text = submission(&json!({"query": "x".repeat(bytes - empty.len())})).to_string();
    assert_eq!(text.len(), bytes);
    text
}

#[tokio::test]
async fn up_to_the_limit_and_not_further() {
    let gateway = gateway().await;
    let empty = gateway.post_bytes("/v1/tasks", "").await;
    assert_eq!((empty.status, empty.code()), (400, "invalid_json"));
    assert_eq!(
        gateway.post_bytes("/v1/tasks", sized(LIMIT)).await.status,
        201
    );
    let over = gateway.post_bytes("/v1/tasks", sized(LIMIT + 1)).await;
    assert_eq!((over.status, over.code()), (413, "payload_too_large"));
    // The same without a length that is announced.
    let parts = |text: String| {
        let bytes = Bytes::from(text);
        let parts: Vec<_> = bytes
            .chunks(10_000)
            .map(|part| Ok::<_, std::io::Error>(bytes.slice_ref(part)))
            .collect();
        reqwest::Body::wrap_stream(stream::iter(parts))
    };
    assert_eq!(
        gateway
            .post_bytes("/v1/tasks", parts(sized(LIMIT)))
            .await
            .status,
        201
    );
    let over = gateway
        .post_bytes("/v1/tasks", parts(sized(LIMIT + 1)))
        .await;
    assert_eq!((over.status, over.code()), (413, "payload_too_large"));
}

#[tokio::test]
async fn a_hundred_megabytes_are_never_held() {
    let gateway = gateway().await;
    let part = Bytes::from(vec![b' '; 1_000_000]);
    let before = peak_memory_kb();
    for announced in [true, false] {
        let part = part.clone();
        let parts = stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(part.clone())));
        let mut request = gateway
            .request(Method::POST, "/v1/tasks")
            .header("content-type", "application/json")
            .body(reqwest::Body::wrap_stream(parts));
        if announced {
            request = request.header("content-length", 100_000_000);
        }
        let answer = gateway.send(request).await;
        assert_eq!((answer.status, answer.code()), (413, "payload_too_large"));
    }
    let grown = peak_memory_kb() - before;
    assert!(grown < 30_000, "{grown} kB");
    let head = "POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 100000000\r\nexpect: 100-continue\r\n\r\n";
    assert_eq!(raw(&gateway, head.as_bytes()).await, 413);
}

fn peak_memory_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_is_not_json_is_400_and_what_is_too_deep_is_422() {
    let gateway = gateway().await;
    let deep = |levels: usize| {
        format!(
            r#"{{"agent":"writer","owner_id":"o","query":"q","context":{}1{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    for (body, status, code) in [
        (b"\xff\xfe".to_vec(), 400, "invalid_json"),
        (b"{\"query\":\"\xc3\x28\"}".to_vec(), 400, "invalid_json"),
        (br#"{"agent":"\ud800"}"#.to_vec(), 400, "invalid_json"),
        (b"{".to_vec(), 400, "invalid_json"),
        (
            br#"{"agent":"writer","owner_id":"o","query":"q"}}"#.to_vec(),
            400,
            "invalid_json",
        ),
        (b"\0".to_vec(), 400, "invalid_json"),
        (b"null".to_vec(), 422, "validation_failed"),
        ("[".repeat(10_000).into_bytes(), 422, "validation_failed"),
        (deep(10_000).into_bytes(), 422, "validation_failed"),
        (deep(100).into_bytes(), 422, "validation_failed"),
    ] {
        let answer = gateway.post_bytes("/v1/tasks", body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{}",
            body.len()
        );
    }
    // The deepest that is accepted can be read back.
    let answer = gateway.post_bytes("/v1/tasks", deep(99)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let claimed = gateway.hand().claim().await;
    assert_eq!(claimed.corrupt, None);
    let messages = gateway
        .get(&format!("/v1/tasks/{}/messages", answer.id()))
        .await;
    assert_eq!(messages.status, 200);
}

#[tokio::test]
async fn only_json_is_taken() {
    let gateway = gateway().await;
    let body = submission(&json!({})).to_string();
    for (media_type, status) in [
        (None, 415),
        (Some("text/plain"), 415),
        (Some("application/jsonx"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/json"), 201),
        (Some("Application/JSON; charset=utf-8"), 201),
        (Some("application/vnd.api+json"), 201),
    ] {
        let mut request = gateway
            .request(Method::POST, "/v1/tasks")
            .body(body.clone());
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, status, "{media_type:?}");
    }
}

#[tokio::test]
async fn every_character_survives() {
    let gateway = gateway().await;
    let text = "\u{0}\u{1}\n\r\t\"\\ {namespace}: \u{7f}é\u{2028}\u{10ffff}";
    let changes = json!({
        "query": text, "messages": [{"role": "system", "content": text}], "context": {text: [text]},
        "metadata": {"k": text},
    });
    let id = gateway.submit(&changes).await;
    let task = gateway.get(&format!("/v1/tasks/{id}")).await;
    assert_eq!(task.body["metadata"]["k"], text);
    let messages = gateway.get(&format!("/v1/tasks/{id}/messages")).await;
    let said: Vec<_> = messages.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, [text, text]);
    let claimed = gateway.hand().claim().await;
    let Some(Entry::Input { context, .. }) = claimed.entries.first() else {
        panic!("{claimed:?}");
    };
    assert_eq!(context.as_ref(), Some(&json!({text: [text]})));
    let steer = json!({"messages": [{"role": "user", "content": text}], "client_id": text});
    let steered = gateway.post(&format!("/v1/tasks/{id}/steer"), &steer).await;
    assert_eq!(
        (steered.status, &steered.body["accepted"]),
        (202, &Value::from(1))
    );
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_leaves_nothing() {
    let gateway = gateway().await;
    let mut stream = tokio::net::TcpStream::connect(gateway.address())
        .await
        .unwrap();
    let head = b"POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut stream, head)
        .await
        .unwrap();
    drop(stream);
    tokio::time::timeout(Duration::from_secs(5), gateway.get("/v1/tasks"))
        .await
        .unwrap();
    assert_eq!(gateway.get("/v1/tasks").await.body["data"], json!([]));
}
