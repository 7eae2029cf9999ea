//! Logging in: a key becomes a cookie, which is worth what the key is worth, for as long.

use factorial_core::KeyId;
use factorial_dashboard::Access;
use factorial_rest::make_key;
use factorial_service::config::{AuthConfig, DashboardRole, defaults};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Dashboard, dashboard_for};

const ADMIN: &str = "an-admin-key-for-the-tests";

fn auth() -> AuthConfig {
    let mut auth = defaults::<DashboardRole>().unwrap().auth;
    auth.admin_key = Some(ADMIN.into());
    auth
}

async fn guarded_as(auth: &AuthConfig) -> Dashboard {
    let access = Access::new(auth, "127.0.0.1:1".parse().unwrap()).unwrap();
    dashboard_for(access, 1).await
}

async fn guarded() -> Dashboard {
    guarded_as(&auth()).await
}

impl Dashboard {
    async fn key(&self, role: &str, owners: &[&str]) -> (String, String) {
        let request = json!({"name": "n", "role": role, "owner_ids": owners});
        let request = serde_json::from_value(request).unwrap();
        let made = make_key(self.store(), &request, "test".to_owned())
            .await
            .unwrap();
        (made.key.id, made.token)
    }

    /// As the login page does; the cookie, as a browser sends it.
    async fn log_in(
        &self,
        key: &str,
        more: &[(&str, &str)],
    ) -> Result<(String, String), StatusCode> {
        let mut headers = vec![("x-factorial-dashboard", "1"), ("origin", &*self.url)];
        headers.extend_from_slice(more);
        let body = json!({"key": key});
        let answer = self
            .send(
                Method::POST,
                "/observability/api/session",
                &headers,
                Some(&body),
            )
            .await;
        if answer.status != StatusCode::NO_CONTENT {
            assert!(!answer.headers.contains_key("set-cookie"));
            assert!(!answer.text.contains(key), "{}", answer.text);
            return Err(answer.status);
        }
        let set = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        let cookie = set.split(';').next().unwrap().to_owned();
        Ok((cookie, set))
    }

    async fn get_as(&self, cookie: &str, path: &str) -> crate::support::Answer {
        let path = format!("/observability/api{path}");
        self.send(Method::GET, &path, &[("cookie", cookie)], None)
            .await
    }
}

#[tokio::test]
async fn a_key_becomes_a_cookie() {
    let dashboard = guarded().await;
    let (id, key) = dashboard.key("operator", &["me"]).await;
    assert_eq!(dashboard.get("/observability/api/config").await.status, 401);
    assert_eq!(dashboard.log_in("nonsense", &[]).await.unwrap_err(), 401);
    let (cookie, set) = dashboard.log_in(&key, &[]).await.unwrap();
    assert!(set.starts_with("factorial-session="), "{set}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(
        !set.contains("Secure") && !set.contains(&key[16..]),
        "{set}"
    );
    let config = dashboard.get_as(&cookie, "/config").await.json();
    let caller = json!({"name": format!("key:{id}"), "role": "operator", "owner_ids": ["me"]});
    assert_eq!(config["caller"], caller);
    // A cookie that was made up, or changed.
    for other in [
        "factorial-session=x",
        &format!("{cookie}0"),
        &cookie.replace("session=", "session=0"),
    ] {
        assert_eq!(
            dashboard.get_as(other, "/config").await.status,
            401,
            "{other}"
        );
    }
    // A program needs no session.
    let bearer = format!("Bearer {key}");
    let answer = dashboard
        .send(
            Method::GET,
            "/observability/api/tasks",
            &[("authorization", &bearer)],
            None,
        )
        .await;
    assert_eq!(answer.status, 200);
    let (_, set) = dashboard.log_in(ADMIN, &[]).await.unwrap();
    assert!(set.starts_with("factorial-session="));
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let mut auth = auth();
    auth.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let dashboard = guarded_as(&auth).await;
    let (_, key) = dashboard.key("viewer", &[]).await;
    let forwarded = [("x-forwarded-proto", "https")];
    let (cookie, set) = dashboard.log_in(&key, &forwarded).await.unwrap();
    assert!(
        set.starts_with("__Host-factorial-session=") && set.contains("; Secure"),
        "{set}"
    );
    assert_eq!(dashboard.get_as(&cookie, "/config").await.status, 200);
    // Whoever is not trusted says nothing of that.
    let dashboard = guarded().await;
    let (_, key) = dashboard.key("viewer", &[]).await;
    let (_, set) = dashboard.log_in(&key, &forwarded).await.unwrap();
    assert!(set.starts_with("factorial-session="), "{set}");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_a_login() {
    let dashboard = guarded().await;
    let (_, key) = dashboard.key("operator", &[]).await;
    let (cookie, _) = dashboard.log_in(&key, &[]).await.unwrap();
    let path = "/observability/api/agents/writer/pause";
    let own = [
        ("x-factorial-dashboard", "1"),
        ("origin", &*dashboard.url),
        ("cookie", &cookie),
    ];
    for (headers, status) in [
        (&own[..], 200),
        (&own[1..], 403),
        (
            &[
                ("x-factorial-dashboard", "1"),
                ("origin", "https://evil.org"),
                ("cookie", &*cookie),
            ],
            403,
        ),
    ] {
        let answer = dashboard
            .send(Method::POST, path, headers, Some(&json!({})))
            .await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
    }
    let cookie = [("cookie", &*cookie)];
    assert!(
        dashboard
            .connect_with(Some(&dashboard.url), &cookie)
            .await
            .is_ok()
    );
    assert!(
        dashboard
            .connect_with(Some("https://evil.org"), &cookie)
            .await
            .is_err()
    );
    assert!(
        dashboard
            .connect_with(Some(&dashboard.url), &[])
            .await
            .is_err(),
        "without a login"
    );
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_by_logging_out() {
    let dashboard = guarded().await;
    let (id, key) = dashboard.key("viewer", &[]).await;
    let (cookie, _) = dashboard.log_in(&key, &[]).await.unwrap();
    let (another, _) = dashboard.log_in(&key, &[]).await.unwrap();
    let header = [("cookie", &*cookie)];
    let mut socket = dashboard
        .connect_with(Some(&dashboard.url), &header)
        .await
        .unwrap();
    let out = [("x-factorial-dashboard", "1"), ("cookie", &*cookie)];
    let answer = dashboard
        .send(Method::DELETE, "/observability/api/session", &out, None)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(
        answer.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(dashboard.get_as(&cookie, "/config").await.status, 401);
    let bye = socket.next().await.unwrap();
    assert_eq!(bye["reason"], "the key was revoked or has expired");
    assert_eq!(socket.next().await, None);

    assert_eq!(dashboard.get_as(&another, "/config").await.status, 200);
    let header = [("cookie", &*another)];
    let mut socket = dashboard
        .connect_with(Some(&dashboard.url), &header)
        .await
        .unwrap();
    let id = KeyId::new(&id).unwrap();
    dashboard.store().revoke_api_key(&id, 1).await.unwrap();
    assert_eq!(socket.next().await.unwrap()["type"], "bye");
    assert_eq!(dashboard.get_as(&another, "/config").await.status, 401);
}

#[tokio::test]
async fn what_is_live_is_what_the_key_may_see() {
    let dashboard = guarded().await;
    let (_, admin) = dashboard.key("operator", &[]).await;
    let bearer = format!("Bearer {admin}");
    let mut ids = Vec::new();
    for owner in ["me", "zzvictimzz"] {
        let body =
            json!({"agent": "writer", "owner_id": owner, "query": "q", "metadata": {"m": owner}});
        let headers = [("x-factorial-dashboard", "1"), ("authorization", &*bearer)];
        let made = dashboard
            .send(
                Method::POST,
                "/observability/api/tasks",
                &headers,
                Some(&body),
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        ids.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    let (_, bound) = dashboard.key("viewer", &["me"]).await;
    let key = [("x-api-key", &*bound)];
    let all = [("x-api-key", &*admin)];
    let mut mine = dashboard.connect_with(None, &key).await.unwrap();
    let mut whole = dashboard.connect_with(None, &all).await.unwrap();
    // The same topics at the same time: what one sees is not what the other is sent.
    for socket in [&mut whole, &mut mine] {
        socket.subscribe(1, "tasks", json!({})).await;
    }
    let shown = |data: &Value| data["data"].as_array().map_or(0, Vec::len);
    whole.until(1, |data| shown(data) == 2).await;
    let data = mine.until(1, |data| shown(data) > 0).await;
    assert_eq!(
        (shown(&data), &data["data"][0]["owner_id"]),
        (1, &json!("me"))
    );
    let probes = [
        ("overview", json!({}), "forbidden"),
        ("system", json!({}), "forbidden"),
        ("workers", json!({}), "forbidden"),
        (
            "tasks",
            json!({"owner_id": "zzvictimzz"}),
            "validation_failed",
        ),
        ("task", json!({"task_id": ids[1]}), "task_not_found"),
        ("batch", json!({"batch_id": ids[1]}), "batch_not_found"),
    ];
    for (at, (topic, params, code)) in probes.into_iter().enumerate() {
        let id = at as u64 + 10;
        mine.subscribe(id, topic, params).await;
        loop {
            let frame = mine.next().await.unwrap();
            assert!(
                !frame.to_string().contains("zzvictimzz"),
                "{topic}: {frame}"
            );
            if frame["id"] == id {
                assert_eq!(frame["problem"]["code"], code, "{topic}: {frame}");
                break;
            }
        }
    }
    mine.subscribe(90, "task", json!({"task_id": ids[0]})).await;
    let data = mine.until(90, |data| data["task"].is_object()).await;
    assert_eq!(data["task"]["id"], ids[0]);
}

#[tokio::test]
async fn every_operation_of_the_dashboard_hides_what_is_another_owners() {
    let dashboard = guarded().await;
    let (_, admin) = dashboard.key("operator", &[]).await;
    let (_, bound) = dashboard.key("operator", &["me"]).await;
    let call = async |key: &str, method: Method, path: &str, body: Option<Value>| {
        let headers = [("x-factorial-dashboard", "1"), ("x-api-key", key)];
        let path = format!("/observability/api{path}");
        dashboard.send(method, &path, &headers, body.as_ref()).await
    };
    let body = json!({"agent": "writer", "owner_id": "zzvictimzz", "query": "q", "metadata": {"m": "zzvictimzz"}});
    let made = call(&admin, Method::POST, "/tasks", Some(body)).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    for filter in [
        json!({"action": "cancel", "ids": [id]}),
        json!({"action": "cancel", "filter": {"q": id}}),
        json!({"action": "cancel", "filter": {}}),
    ] {
        let answer = call(&bound, Method::POST, "/tasks/bulk", Some(filter)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["done"]),
            (200, &json!(0)),
            "{}",
            answer.text
        );
    }
    let foreign = json!({"action": "cancel", "filter": {"owner_id": "zzvictimzz"}});
    let answer = call(&bound, Method::POST, "/tasks/bulk", Some(foreign)).await;
    assert_eq!(answer.status, 422);
    let document = factorial_dashboard::openapi_document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/observability/api").unwrap();
        let Some(get) = item
            .get("get")
            .filter(|get| !get["x-required-role"].is_null())
        else {
            continue;
        };
        let filled = path.replace("{id}", &id).replace("{name}", "writer");
        let answer = call(&bound, Method::GET, &filled, None).await;
        assert!(
            !answer.text.contains("zzvictimzz"),
            "{path}: {}",
            answer.text
        );
        let expected: &[u16] = match (get["x-unbound"] == true, path.contains("{id}")) {
            (true, _) => &[403],
            // As an id of something else it may be malformed.
            (_, true) => &[404, 422],
            _ => &[200],
        };
        assert!(
            expected.contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text
        );
        if path.starts_with("/tasks/{id}") {
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    let task = call(&admin, Method::GET, &format!("/tasks/{id}"), None).await;
    assert_eq!(task.json()["status"], "queued", "nothing was changed");
}

#[tokio::test]
async fn who_has_not_logged_in_is_shown_where_to() {
    let dashboard = guarded().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let path = format!("{}/observability/tasks?status=failed", dashboard.url);
    let answer = client.get(&path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let place = answer.headers()["location"].to_str().unwrap();
    assert_eq!(
        place,
        "/observability/login?next=%2Fobservability%2Ftasks%3Fstatus%3Dfailed"
    );
    let page = dashboard.get(place).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("&lt;Ops&gt;") && page.text.contains("<label for=\"key\">"));
    for file in ["login.js", "login.css"] {
        assert_eq!(
            dashboard
                .get(&format!("/observability/login/{file}"))
                .await
                .status,
            200
        );
    }
    let (_, key) = dashboard.key("viewer", &[]).await;
    let (cookie, _) = dashboard.log_in(&key, &[]).await.unwrap();
    let answer = client
        .get(&path)
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}
