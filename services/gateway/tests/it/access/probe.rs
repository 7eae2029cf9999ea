//! A key that is bound to one owner, against everything of another: each operation, stream and socket of the document.
//!
//! The list of routes comes from the document, so a new one is probed by itself; one whose path or body this file does not
//! know fails it.

use std::time::Duration;

use factorial_core::WaitKind;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};

use super::{ADMIN, guarded};
use crate::support::{Answer, Ask, Gateway, submission};

/// In everything of the owner who is probed.
const MARK: &str = "zzvictimzz";
const VICTIM: &str = "zzvictimzz-owner";

/// What the victim has.
struct Victim {
    task: String,
    ended: String,
    batch: String,
    webhook: String,
    delivery: String,
}

async fn victim(gateway: &Gateway) -> Victim {
    let post = async |path: &str, body: Value| {
        let answer = gateway.post_with(ADMIN, path, &body).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer
    };
    let webhook = json!({"owner_id": VICTIM, "url": format!("https://{MARK}.example.org/")});
    let webhook = post("/v1/webhooks", webhook).await.id().to_owned();
    let mut body = submission(&json!({"owner_id": VICTIM, "query": MARK, "metadata": {"m": MARK}}));
    let task = post("/v1/tasks", body.clone()).await.id().to_owned();
    let asks = [
        Ask::new(WaitKind::Approval, "a1"),
        Ask::new(WaitKind::Operator, "c1"),
    ];
    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    hand.ask(&mut claimed, 1, &asks).await;
    hand.park(&claimed, 2).await;
    body["delay_seconds"] = json!(600);
    let ended = post("/v1/tasks", body).await.id().to_owned();
    post(
        &format!("/v1/tasks/{ended}/cancel"),
        json!({"reason": MARK}),
    )
    .await;
    let member =
        json!({"agent": "reader", "query": MARK, "delay_seconds": 600, "metadata": {"m": MARK}});
    let batch =
        json!({"owner_id": VICTIM, "metadata": {"m": MARK}, "tasks": [member.clone(), member]});
    let batch = post("/v1/batches", batch).await.id().to_owned();
    let told = gateway
        .get_with(ADMIN, &format!("/v1/webhooks/{webhook}/deliveries"))
        .await;
    let delivery = told.body["data"][0]["id"].as_str().unwrap().to_owned();
    Victim {
        task,
        ended,
        batch,
        webhook,
        delivery,
    }
}

impl Victim {
    /// A path of the document, filled in with what is the victim's; `false`: with what nobody has.
    fn fill(&self, path: &str, real: bool) -> String {
        let mut filled = Vec::new();
        let mut collection = "";
        for part in path.split('/') {
            filled.push(match (part, collection) {
                ("{id}", _) if !real => nothing(collection).to_owned(),
                ("{id}", "tasks") => self.task.clone(),
                ("{id}", "batches") => self.batch.clone(),
                ("{id}", "webhooks") => self.webhook.clone(),
                ("{id}", "webhook-deliveries") => self.delivery.clone(),
                ("{id}", "keys") => "unknown".to_owned(),
                ("{call_id}", _) if path.ends_with("ve") || path.ends_with("deny") => {
                    "a1".to_owned()
                }
                ("{call_id}", _) => "c1".to_owned(),
                ("{name}", "agents") => "writer".to_owned(),
                ("{token}", "callbacks") => "token".to_owned(),
                (part, _) => {
                    assert!(
                        !part.contains('{'),
                        "this test does not know {part} of {path}"
                    );
                    part.to_owned()
                }
            });
            collection = part;
        }
        filled.join("/")
    }
}

/// An id of something that is not there.
fn nothing(collection: &str) -> &'static str {
    match collection {
        "tasks" | "batches" => "0-01hf7yat000000000000000010",
        "webhooks" => "wh_unknown",
        "webhook-deliveries" => "0-01hf7yat000000000000000010.2.wh_unknown",
        "keys" => "unknown",
        other => panic!("this test does not know an id of {other}"),
    }
}

/// What is sent to an operation that names nothing in its path.
fn body(operation: &str, victim: &Victim) -> Vec<Value> {
    let member = json!({"agent": "writer", "query": "q"});
    match operation {
        "submit_task" => vec![
            submission(&json!({"owner_id": VICTIM})),
            submission(&json!({"owner_id": "me", "previous_task_id": victim.ended})),
        ],
        "submit_batch" => vec![json!({"owner_id": VICTIM, "tasks": [member]})],
        "add_webhook" => vec![json!({"owner_id": VICTIM, "url": "https://example.org/"})],
        "create_key" => vec![json!({"name": "n", "role": "viewer", "owner_ids": [VICTIM]})],
        other => panic!("this test does not know what to send to {other}"),
    }
}

/// Everything of the answer that could differ between what is another's and what is not there.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    (answer.status, body)
}

fn clean(at: &str, answer: &Answer) {
    let text = format!("{:?} {}", answer.headers, answer.body);
    assert!(!text.contains(MARK), "{at}: {text}");
}

async fn snapshot(gateway: &Gateway, victim: &Victim) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        format!("/v1/tasks/{}", victim.task),
        format!("/v1/tasks/{}/events", victim.task),
        format!("/v1/tasks/{}/tool-calls", victim.task),
        format!("/v1/tasks/{}", victim.ended),
        format!("/v1/batches/{}", victim.batch),
        format!("/v1/webhooks?owner_id={VICTIM}"),
        format!("/v1/webhooks/{}/deliveries", victim.webhook),
        "/v1/agents/writer".to_owned(),
    ] {
        let answer = gateway.get_with(ADMIN, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        all.push(answer.body);
    }
    all
}

/// Probes an operation that names something in its path: as an answer, a stream and a socket.
async fn by_id(
    gateway: &Gateway,
    key: &str,
    method: &Method,
    path: &str,
    victim: &Victim,
    streams: bool,
) {
    let (theirs, nobodys) = (victim.fill(path, true), victim.fill(path, false));
    let send = async |path: &str, accept: &str| {
        let request = gateway.with_key(key, method.clone(), path);
        gateway.send(request.header("accept", accept)).await
    };
    let accepts: &[&str] = if streams {
        &["application/json", "text/event-stream"]
    } else {
        &["application/json"]
    };
    for accept in accepts {
        let answer = send(&theirs, accept).await;
        clean(path, &answer);
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        let missing = send(&nobodys, accept).await;
        assert_eq!(told(&answer), told(&missing), "{method} {path}");
        for owner in ["me", VICTIM] {
            let answer = send(&format!("{theirs}?owner_id={owner}"), accept).await;
            clean(path, &answer);
            // Which owners a key has is no secret to whoever has it.
            let foreign = owner == VICTIM && answer.status == 422;
            assert!(
                foreign || answer.status == 404,
                "{method} {path} of {owner}: {answer:?}"
            );
        }
    }
    if streams {
        let refused = socket(gateway, key, &theirs).await.map(|_| ());
        match refused.map_err(|error| *error) {
            Err(Error::Http(answer)) => assert_eq!(answer.status().as_u16(), 404, "{path}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

async fn socket(
    gateway: &Gateway,
    key: &str,
    path: &str,
) -> Result<crate::sockets::Socket, Box<Error>> {
    let url = format!("ws://{}{path}", gateway.address());
    let mut request = url.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("x-api-key", key.parse().unwrap());
    Ok(connect_async(request).await.map_err(Box::new)?.0)
}

/// Probes an operation that lists: nothing of the victim is in it, whatever it is asked for.
async fn list(gateway: &Gateway, key: &str, path: &str, victim: &Victim) {
    for query in [
        String::new(),
        "limit=200".to_owned(),
        format!("owner_id={VICTIM}"),
        "owner_id=me".to_owned(),
        format!("batch_id={}", victim.batch),
        format!("q={MARK}"),
        format!("q={}", victim.task),
        format!("task_ids={}", victim.task),
        "status=cancelled".to_owned(),
        "status=queued".to_owned(),
        "status=pending_tool_results".to_owned(),
        "agent=writer".to_owned(),
    ] {
        let at = format!("{path}?{query}");
        let answer = gateway.get_with(key, &at).await;
        let parameters = query.starts_with("owner_id=zz") || answer.status == 422;
        assert_eq!(
            answer.status,
            if parameters { 422 } else { 200 },
            "{at}: {answer:?}"
        );
        clean(&at, &answer);
        // Agents are everybody's, the secret is the owner's own, and its feed begins with saying so.
        let empty = !["/v1/agents", "/v1/webhooks/secret", "/v1/events"].contains(&path);
        if answer.status == 200 && empty {
            assert_eq!(answer.body["data"], json!([]), "{at}");
            assert_eq!(answer.body["next_cursor"], Value::Null, "{at}");
        }
    }
}

#[tokio::test]
async fn a_bound_key_learns_nothing_of_another_owner() {
    let gateway = guarded().await;
    let victim = victim(&gateway).await;
    let before = snapshot(&gateway, &victim).await;
    let bound = gateway.key("operator", &["me"]).await;
    let several = gateway.key("operator", &["me", "myself"]).await;
    let document = factorial_gateway::openapi_document();
    let mut probed = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["x-required-role"].is_null() {
                continue;
            }
            probed += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let name = operation["operationId"].as_str().unwrap();
            let about_all = operation["x-unbound"] == true;
            let content = &operation["responses"]["200"]["content"];
            let streams = !content["text/event-stream"].is_null();
            for key in [&bound, &several] {
                if about_all {
                    let request = gateway.with_key(key, method.clone(), &victim.fill(path, true));
                    let answer = gateway.send(request).await;
                    clean(name, &answer);
                    assert_eq!(answer.status, 403, "{name}");
                } else if path.contains("{id}") {
                    by_id(&gateway, key, &method, path, &victim, streams).await;
                } else if path.contains('{') {
                    let request = gateway.with_key(key, method.clone(), &victim.fill(path, true));
                    clean(name, &gateway.send(request).await);
                } else if method == Method::GET {
                    list(&gateway, key, path, &victim).await;
                } else {
                    for body in body(name, &victim) {
                        let answer = gateway.post_with(key, path, &body).await;
                        clean(name, &answer);
                        assert!(matches!(answer.status, 409 | 422), "{name}: {answer:?}");
                    }
                }
            }
        }
    }
    assert!(probed > 40, "{probed}");
    assert_eq!(
        snapshot(&gateway, &victim).await,
        before,
        "nothing was changed"
    );
    // The same key does all that for its own owner.
    let own = gateway
        .post_with(
            &bound,
            "/v1/tasks",
            &json!({"agent": "reader", "query": "q"}),
        )
        .await;
    assert_eq!(
        (own.status, own.body["owner_id"].as_str()),
        (201, Some("me"))
    );
    let listed = gateway.get_with(&bound, "/v1/tasks").await;
    assert_eq!(listed.body["data"][0]["id"], own.id());
    let path = format!("/v1/tasks/{}/cancel", own.id());
    assert_eq!(
        gateway.post_with(&bound, &path, &json!({})).await.status,
        200
    );
    let unnamed = json!({"agent": "reader", "query": "q"});
    let refused = gateway.post_with(&several, "/v1/tasks", &unnamed).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["/owner_id"]));
}

#[tokio::test]
async fn streams_of_a_bound_key_bring_nothing_of_another_owner() {
    let gateway = guarded().await;
    let bound = gateway.key("viewer", &["me"]).await;
    let request = gateway.with_key(&bound, Method::GET, "/v1/events");
    let stream = request.header("accept", "text/event-stream").send().await;
    let mut stream = stream.unwrap().bytes_stream();
    let mut feed = socket(&gateway, &bound, "/v1/events").await.unwrap();
    let mut heard = String::new();
    let mut said = String::new();
    // Both feeds are open before anything happens.
    while !heard.contains("feed_opened") {
        heard.push_str(&String::from_utf8_lossy(
            &stream.next().await.unwrap().unwrap(),
        ));
    }
    while !said.contains("feed_opened") {
        said.push_str(&feed.next().await.unwrap().unwrap().to_string());
    }
    victim(&gateway).await;
    let own = submission(&json!({"owner_id": "me"}));
    assert_eq!(
        gateway.post_with(ADMIN, "/v1/tasks", &own).await.status,
        201
    );
    while !heard.contains("task_enqueued") {
        let part = timeout(Duration::from_secs(20), stream.next())
            .await
            .unwrap();
        heard.push_str(&String::from_utf8_lossy(&part.unwrap().unwrap()));
    }
    while !said.contains("task_enqueued") {
        let message = timeout(Duration::from_secs(20), feed.next()).await.unwrap();
        said.push_str(&message.unwrap().unwrap().to_string());
    }
    assert!(!heard.contains(MARK), "{heard}");
    assert!(!said.contains(MARK), "{said}");
}
