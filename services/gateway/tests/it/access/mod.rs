//! Who may do what: keys, roles, limits, owners, and what is written down of it.

mod audit;
mod keys;
mod limits;
mod probe;
mod roles;
mod tls;
mod tokens;

use factorial_gateway::Access;
use factorial_service::config::{AuthConfig, GatewayRole, defaults};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Gateway, config, gateway_for};

/// The key of the settings.
pub(crate) const ADMIN: &str = "an-admin-key-for-the-tests";

pub(crate) fn auth() -> AuthConfig {
    let mut auth = defaults::<GatewayRole>().unwrap().auth;
    auth.admin_key = Some(ADMIN.into());
    auth
}

/// A gateway that needs keys.
pub(crate) async fn guarded() -> Gateway {
    guarded_as(&auth()).await
}

pub(crate) async fn guarded_as(auth: &AuthConfig) -> Gateway {
    let access = Access::new(auth, "127.0.0.1:1".parse().unwrap()).unwrap();
    gateway_for(access, config(), 2).await
}

impl Gateway {
    pub(crate) fn with_key(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(key)
    }

    pub(crate) async fn get_with(&self, key: &str, path: &str) -> Answer {
        self.send(self.with_key(key, Method::GET, path)).await
    }

    pub(crate) async fn post_with(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = self.with_key(key, Method::POST, path);
        self.send(request.json(body)).await
    }

    /// A new key: its id, and what is sent.
    pub(crate) async fn new_key(&self, change: &Value) -> (String, String) {
        let mut body = json!({"name": "test", "role": "submitter"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = self.post_with(ADMIN, "/v1/keys", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made.body["key"]["id"]), text(&made.body["token"]))
    }

    /// A new key with a role, bound to these owners.
    pub(crate) async fn key(&self, role: &str, owners: &[&str]) -> String {
        let change = json!({"role": role, "owner_ids": owners});
        self.new_key(&change).await.1
    }
}
