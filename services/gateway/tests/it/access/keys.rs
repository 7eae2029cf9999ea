//! Keys: sent in several ways, made, listed, used, revoked, expired.

use std::time::Duration;

use factorial_core::KeyId;
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use super::{ADMIN, guarded};
use crate::{
    sockets::text,
    support::{Frames, Gateway, eventually, submission},
};

#[tokio::test]
async fn a_key_is_needed_and_can_be_sent_in_several_ways() {
    let gateway = guarded().await;
    let key = gateway.key("submitter", &[]).await;
    for refused in [
        gateway.get("/v1/tasks").await,
        gateway.get_with("nonsense", "/v1/tasks").await,
        gateway.get_with(&key[..key.len() - 1], "/v1/tasks").await,
        gateway
            .get_with(&key.replace("fk_", "fk_x"), "/v1/tasks")
            .await,
        gateway
            .send(
                gateway
                    .with_key(&key, Method::GET, "/v1/tasks")
                    .header("x-api-key", "another"),
            )
            .await,
        gateway
            .send(
                gateway
                    .request(Method::GET, "/v1/tasks")
                    .basic_auth("me", Some(&key)),
            )
            .await,
    ] {
        assert_eq!((refused.status, refused.code()), (401, "unauthenticated"));
        assert_eq!(
            refused.headers["www-authenticate"],
            "Bearer realm=\"factorial\""
        );
        assert!(
            !refused.body.to_string().contains(&key[16..]),
            "{refused:?}"
        );
    }
    assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 200);
    assert_eq!(gateway.get_with(ADMIN, "/v1/tasks").await.status, 200);
    let plain = gateway
        .request(Method::GET, "/v1/tasks")
        .header("x-api-key", &key);
    assert_eq!(gateway.send(plain).await.status, 200);
    for open in ["/", "/openapi.json"] {
        assert_eq!(gateway.get(open).await.status, 200, "{open}");
    }
    let made = gateway
        .post_with(&key, "/v1/tasks", &submission(&json!({})))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let gateway = guarded().await;
    let (id, key) = gateway
        .new_key(&json!({"name": "shop", "owner_ids": ["a", "b", "a"]}))
        .await;
    let secret = &key[16..];
    let listed = gateway.get_with(ADMIN, "/v1/keys").await;
    assert_eq!(listed.status, 200);
    let item = &listed.body["data"][0];
    assert_eq!(item["id"], id);
    assert_eq!(item["owner_ids"], json!(["a", "b"]));
    assert_eq!(item["created_by"], "admin_key");
    assert!(!listed.body.to_string().contains(secret));
    assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 200);
    let stored = gateway.store.api_keys().await.unwrap();
    assert!(!format!("{stored:?}").contains(secret));
    for (bad, field) in [
        (json!({"name": ""}), "/name"),
        (json!({"role": "admin", "owner_ids": ["a"]}), "/owner_ids"),
        (json!({"owner_ids": ["a b"]}), "/owner_ids/0"),
        (json!({"expires_in_seconds": 0}), "/expires_in_seconds"),
        (json!({"requests_per_second": 0}), "/requests_per_second"),
        (json!({"burst": 7}), "/burst"),
        (json!({"max_body_bytes": 1}), "/max_body_bytes"),
        (json!({"role": "root"}), "/role"),
    ] {
        let mut body = json!({"name": "n", "role": "viewer"});
        body.as_object_mut()
            .unwrap()
            .extend(bad.as_object().unwrap().clone());
        let refused = gateway.post_with(ADMIN, "/v1/keys", &body).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field]),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_revoked_key_ends_at_once_with_all_that_is_open() {
    let gateway = guarded().await;
    let (id, key) = gateway.new_key(&json!({})).await;
    let task = gateway
        .post_with(
            &key,
            "/v1/tasks",
            &submission(&json!({"delay_seconds": 600})),
        )
        .await;
    let path = format!("/v1/tasks/{}/events", task.id());
    let request = gateway.with_key(&key, Method::GET, &path);
    let mut stream = Frames::of(
        request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(stream.event().await.unwrap().event_type, "task_enqueued");
    let mut socket = socket(&gateway, &key, &path).await;
    assert!(text(&mut socket).await.unwrap().contains("task_enqueued"));
    let poll = gateway.with_key(
        &key,
        Method::GET,
        &format!("/v1/tasks/{}/result?wait=60", task.id()),
    );
    let poll = tokio::spawn(gateway.send_later(poll));
    // As another gateway would.
    let revoked = Instant::now();
    gateway
        .store
        .revoke_api_key(&KeyId::new(&id).unwrap(), 1)
        .await
        .unwrap();
    assert_eq!(stream.event().await, None);
    let close = text(&mut socket).await.unwrap_err().unwrap();
    assert_eq!(u16::from(close.code), 1008);
    assert_eq!(close.reason.as_str(), "the key was revoked or has expired");
    let answer = poll.await.unwrap();
    assert_eq!(answer, 401);
    assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 401);
    let took = revoked.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let again = gateway
        .post_with(ADMIN, &format!("/v1/keys/{id}/revoke"), &json!({}))
        .await;
    assert_eq!(
        (again.status, again.body["status"].as_str()),
        (200, Some("revoked"))
    );
    let missing = gateway
        .post_with(ADMIN, "/v1/keys/unknown/revoke", &json!({}))
        .await;
    assert_eq!((missing.status, missing.code()), (404, "key_not_found"));
}

/// A browser can send a key as a subprotocol only.
async fn socket(gateway: &Gateway, key: &str, path: &str) -> crate::sockets::Socket {
    let url = format!("ws://{}{path}", gateway.address());
    let mut request = url.into_client_request().unwrap();
    let offered = format!("factorial.v1, factorial.bearer.{key}");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered.parse().unwrap());
    let (socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "factorial.v1");
    socket
}

#[tokio::test]
async fn a_key_ends_when_its_time_is_over() {
    let gateway = guarded().await;
    let (_, key) = gateway.new_key(&json!({"expires_in_seconds": 2})).await;
    let request = gateway.with_key(&key, Method::GET, "/v1/events?owner_id=o1");
    let mut stream = Frames::of(
        request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap(),
    )
    .await;
    let begun = Instant::now();
    while stream.more().await {}
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 401);
    let listed = gateway.get_with(ADMIN, "/v1/keys").await;
    assert_eq!(listed.body["data"][0]["status"], "expired");
}

#[tokio::test]
async fn the_last_use_is_noted() {
    let gateway = guarded().await;
    let (_, key) = gateway.new_key(&json!({})).await;
    assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 200);
    eventually("the last use is shown", || async {
        let listed = gateway.get_with(ADMIN, "/v1/keys").await;
        listed.body["data"][0]["last_used_at"]
            .is_string()
            .then_some(())
    })
    .await;
}
