//! Looks for a local Ollama, and for a model that it has.
//!
//! Asked by `model`. Invariant: ends within a second or two, whatever listens on that port.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use url::Url;

const DEFAULT_PORT: u16 = 11434;
const CONNECT: Duration = Duration::from_millis(300);
const ANSWER: Duration = Duration::from_secs(2);
/// Models that are asked what they can.
const MOST_ASKED: usize = 8;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A model for agents. `base_url` is that of the OpenAI-compatible API.
    Model { base_url: Url, name: String },
    /// It answers, and has no model that can chat.
    NoModel,
    /// Nobody answers.
    Nobody,
}

/// Where Ollama should be, as `http://host:port`. `host`: as `OLLAMA_HOST` has it.
pub(crate) fn address(host: Option<&str>) -> Option<Url> {
    let host = host
        .map(str::trim)
        .filter(|host| !host.is_empty())
        .unwrap_or("127.0.0.1");
    let text = if host.contains("://") {
        host.to_owned()
    } else {
        format!("http://{host}")
    };
    let mut url = Url::parse(&text).ok()?;
    let bare = url.port().is_none() && url.scheme() == "http" && !has_port(host);
    if bare {
        url.set_port(Some(DEFAULT_PORT)).ok()?;
    }
    // The server's own setting for "listen everywhere" is not an address to call.
    if matches!(url.host_str(), Some("0.0.0.0" | "[::]")) {
        url.set_host(Some("127.0.0.1")).ok()?;
    }
    Some(url)
}

/// A port of 80 is dropped by the URL parser although it was written.
fn has_port(host: &str) -> bool {
    host.trim_end_matches('/').ends_with(":80")
}

/// Asks the server at `address`.
pub(crate) async fn look(address: &Url) -> Found {
    // A proxy has no way to this machine.
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .build();
    let Ok(client) = client else {
        return Found::Nobody;
    };
    let Some(models) = tags(&client, address).await else {
        return Found::Nobody;
    };
    let mut second = None;
    for name in models.into_iter().take(MOST_ASKED) {
        let can = capabilities(&client, address, &name).await;
        let tools = can.iter().any(|capability| capability == "tools");
        let chats = can.iter().any(|capability| capability == "completion");
        if tools {
            return found(address, name);
        }
        if chats && second.is_none() {
            second = Some(name);
        }
    }
    second.map_or(Found::NoModel, |name| found(address, name))
}

fn found(address: &Url, name: String) -> Found {
    match address.join("/v1/") {
        Ok(base_url) => Found::Model { base_url, name },
        Err(_) => Found::NoModel,
    }
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

async fn tags(client: &reqwest::Client, address: &Url) -> Option<Vec<String>> {
    let url = address.join("/api/tags").ok()?;
    let response = client.get(url).send().await.ok()?.error_for_status().ok()?;
    let tags: Tags = response.json().await.ok()?;
    Some(tags.models.into_iter().map(|tag| tag.name).collect())
}

#[derive(Default, Deserialize)]
struct Shown {
    #[serde(default)]
    capabilities: Vec<String>,
}

async fn capabilities(client: &reqwest::Client, address: &Url, model: &str) -> Vec<String> {
    let Ok(url) = address.join("/api/show") else {
        return Vec::new();
    };
    let asked = client
        .post(url)
        .json(&json!({ "model": model }))
        .send()
        .await;
    match asked {
        Ok(response) => {
            response
                .json::<Shown>()
                .await
                .unwrap_or_default()
                .capabilities
        }
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_as_ollama_reads_it() {
        let of = |host: Option<&str>| address(host).unwrap().to_string();
        assert_eq!(of(None), "http://127.0.0.1:11434/");
        assert_eq!(of(Some("0.0.0.0")), "http://127.0.0.1:11434/");
        assert_eq!(of(Some("box:99")), "http://box:99/");
        assert_eq!(of(Some("https://box")), "https://box/");
        assert_eq!(of(Some("box:80")), "http://box/");
    }

    #[tokio::test]
    async fn a_model_with_tools_is_preferred() {
        let fake = fake_ollama().await;
        let found = look(&fake).await;
        let base_url = fake.join("/v1/").unwrap();
        assert_eq!(
            found,
            Found::Model {
                base_url,
                name: "tooled:1b".to_owned()
            }
        );
    }

    #[tokio::test]
    async fn nobody_is_told_apart() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let url = address(Some(&format!("127.0.0.1:{port}"))).unwrap();
        assert_eq!(look(&url).await, Found::Nobody);
    }

    /// Three models: one for embeddings, one that chats, one that chats with tools.
    async fn fake_ollama() -> Url {
        use axum::{Json, Router, routing};
        use serde_json::Value;
        let names = ["embed:1b", "plain:1b", "tooled:1b"];
        let models: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        let tags = json!({ "models": models });
        let show = async |Json(asked): Json<Value>| {
            let can = match asked["model"].as_str().unwrap() {
                "embed:1b" => json!(["embedding"]),
                "plain:1b" => json!(["completion"]),
                _ => json!(["completion", "tools"]),
            };
            Json(json!({ "capabilities": can }))
        };
        let app = Router::new()
            .route("/api/tags", routing::get(async move || Json(tags)))
            .route("/api/show", routing::post(show));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Url::parse(&url).unwrap()
    }
}
