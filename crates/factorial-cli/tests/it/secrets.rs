//! Secrets are nowhere but where they were put: marked ones are planted everywhere, a whole system runs with them, and
//! everything that it says is searched.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::support::{Dev, Process, directory, eventually, factorial};

/// In every secret.
const MARK: &str = "pLaNtEd";
const PROVIDER_KEY: &str = "sk-pLaNtEd-provider-0123456789abcdef";
const ADMIN_KEY: &str = "pLaNtEd-admin-key-0123456789";
const REDIS_PASSWORD: &str = "pLaNtEd-redis-password";
const WRONG_KEY: &str = "fk_pLaNtEdWrong_0123456789012345678901234567890123456789012";
const HOOK_SECRET: &str = "whsec_pLaNtEdApLaNtEdApLaNtEdApLaNtEdA";
const PATH_TOKEN: &str = "pLaNtEd.callback.token";

/// A provider that refuses, and repeats the key that it was sent, as some do.
async fn refuse(headers: HeaderMap) -> (StatusCode, Json<Value>) {
    let sent = headers.get("authorization");
    let sent = sent.map_or("", |value| value.to_str().unwrap());
    let message = format!("Incorrect API key provided: {sent}");
    (
        StatusCode::UNAUTHORIZED,
        Json(json!({"error": {"message": message, "type": "invalid_request_error"}})),
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn planted_secrets_are_in_nothing_that_is_said() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let provider = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().fallback(refuse);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    let dir = directory();
    let port = free_port();
    let mut redis = Command::new("redis-server");
    redis
        .args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--bind",
            "127.0.0.1",
        ])
        .args(["--requirepass", REDIS_PASSWORD])
        .current_dir(dir.path())
        .stdout(Stdio::null());
    let _redis = Process::start(&mut redis);
    eventually("redis", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let url = format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0");
    let mut command = factorial(dir.path());
    command
        .args(["dev", "--log-level", "debug", "--log-format", "json"])
        .args([
            "--gateway-port",
            "0",
            "--admin-port",
            "0",
            "--observability-port",
            "0",
        ])
        .env("REDIS_URL", &url)
        .env("FACTORIAL_ADMIN_KEY", ADMIN_KEY)
        .env("OPENAI_API_KEY", PROVIDER_KEY)
        .env("OPENAI_BASE_URL", provider)
        .stderr(std::fs::File::create(dir.path().join("log")).unwrap());
    let dev = Dev::start_with(dir.path(), &mut command);
    let gateway = dev.gateway().to_owned();
    let dashboard = dev.addresses["dashboard"].as_str().unwrap().to_owned();
    let admin = dev.addresses["admin"].as_str().unwrap().to_owned();
    let said = runtime.block_on(drive(&gateway, &dashboard, &admin));
    let banner = dev.stop();
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("\"DEBUG\""), "it is searched at debug");
    let mut searched = said;
    searched.push(("log".to_owned(), log));
    searched.push(("banner".to_owned(), banner.out));
    for (name, text) in &searched {
        let told: Vec<&str> = text.lines().filter(|line| line.contains(MARK)).collect();
        assert!(told.is_empty(), "{name} says a secret: {told:#?}");
    }
}

/// Uses all of it, and gathers everything that can be read.
async fn drive(gateway: &str, dashboard: &str, admin: &str) -> Vec<(String, String)> {
    let http = reqwest::Client::new();
    let mut said = Vec::new();
    let post = async |key: &str, path: &str, body: Value| {
        let request = http
            .post(format!("{gateway}{path}"))
            .bearer_auth(key)
            .json(&body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, text)
    };
    let (status, made) = post(
        ADMIN_KEY,
        "/v1/keys",
        json!({"name": "n", "role": "operator"}),
    )
    .await;
    assert_eq!(status, 201, "{made}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = made["token"].as_str().unwrap().to_owned();
    let task = json!({
        "agent": "assistant", "owner_id": "o", "query": "q",
        "webhook": {"url": "https://receiver.invalid/", "secret": HOOK_SECRET},
    });
    let (status, task) = post(&key, "/v1/tasks", task).await;
    assert_eq!(status, 201, "{task}");
    said.push(("task".to_owned(), task.clone()));
    let task: Value = serde_json::from_str(&task).unwrap();
    let id = task["id"].as_str().unwrap().to_owned();
    let hook = json!({"owner_id": "o", "url": "https://receiver.invalid/", "secret": HOOK_SECRET});
    said.push((
        "webhook".to_owned(),
        post(&key, "/v1/webhooks", hook).await.1,
    ));
    // What is refused repeats nothing.
    let bad_hook = json!({"owner_id": "o", "url": "nonsense", "secret": format!("{HOOK_SECRET}!")});
    said.push((
        "bad webhook".to_owned(),
        post(&key, "/v1/webhooks", bad_hook).await.1,
    ));
    said.push((
        "wrong key".to_owned(),
        post(WRONG_KEY, "/v1/tasks", json!({})).await.1,
    ));
    said.push((
        "callback".to_owned(),
        post(
            "none",
            &format!("/v1/callbacks/{PATH_TOKEN}"),
            json!({"result": 1}),
        )
        .await
        .1,
    ));
    let login = |key: &str| {
        let request = http.post(format!("{dashboard}/observability/api/session"));
        request
            .header("x-factorial-dashboard", "1")
            .json(&json!({"key": key}))
    };
    said.push((
        "bad login".to_owned(),
        login(WRONG_KEY).send().await.unwrap().text().await.unwrap(),
    ));
    let cookie = login(ADMIN_KEY).send().await.unwrap().headers()["set-cookie"].clone();
    assert!(!cookie.to_str().unwrap().contains(MARK));
    let cookie = cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    // It fails for good, with what the provider said.
    let path = format!("{gateway}/v1/tasks/{id}/result?wait=60");
    let failed = http.get(path).bearer_auth(&key).send().await.unwrap();
    let failed: Value = failed.json().await.unwrap();
    assert_eq!(failed["status"], "failed", "{failed}");
    said.push(("result".to_owned(), failed.to_string()));
    for path in [
        "/openapi.json".to_owned(),
        format!("/v1/tasks/{id}"),
        format!("/v1/tasks/{id}/events"),
        format!("/v1/tasks/{id}/messages"),
        format!("/v1/tasks/{id}/webhook-deliveries"),
        "/v1/tasks".to_owned(),
        "/v1/agents".to_owned(),
        "/v1/agents/assistant".to_owned(),
        "/v1/webhooks?owner_id=o".to_owned(),
        "/v1/workers".to_owned(),
        "/v1/keys".to_owned(),
        "/v1/audit".to_owned(),
    ] {
        let request = http.get(format!("{gateway}{path}")).bearer_auth(ADMIN_KEY);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains(&key[16..]), "{path} says an API key");
        said.push((path, text));
    }
    for path in ["config", "overview", "system", "workers", "agents", "tasks"] {
        let request = http.get(format!("{dashboard}/observability/api/{path}"));
        let answer = request.header("cookie", &cookie).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        said.push((format!("dashboard {path}"), answer.text().await.unwrap()));
    }
    let metrics = http.get(format!("{admin}/metrics")).send().await.unwrap();
    said.push(("metrics".to_owned(), metrics.text().await.unwrap()));
    said
}
