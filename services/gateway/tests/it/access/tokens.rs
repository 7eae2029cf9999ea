//! Tokens of an issuer: taken when they are what the settings say, and refused in every other case.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use factorial_service::config::AuthConfig;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

use super::{auth, guarded_as};
use crate::support::{Frames, submission};

const AUDIENCE: &str = "factorial";

struct Signer {
    pair: KeyPair,
    key: EncodingKey,
    algorithm: Algorithm,
    kid: &'static str,
}

impl Signer {
    fn ec(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self {
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            pair,
            algorithm: Algorithm::ES256,
            kid,
        }
    }

    fn ed(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        Self {
            key: EncodingKey::from_ed_der(&pair.serialize_der()),
            pair,
            algorithm: Algorithm::EdDSA,
            kid,
        }
    }

    fn rsa(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        // PKCS#8 is 26 bytes around what is wanted here.
        let key = EncodingKey::from_rsa_der(&pair.serialize_der()[26..]);
        Self {
            pair,
            key,
            algorithm: Algorithm::RS256,
            kid,
        }
    }

    fn jwk(&self) -> Jwk {
        if self.algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(self.pair.public_key_raw());
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid});
            return serde_json::from_value(jwk).unwrap();
        }
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        jwk
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        encode(&header, claims, &self.key).unwrap()
    }
}

struct Issuer {
    url: String,
    asked: Arc<AtomicUsize>,
}

/// An issuer over HTTP, found by discovery.
async fn issuer(keys: &[&Signer]) -> Issuer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let set = JwkSet {
        keys: keys.iter().map(|key| key.jwk()).collect(),
    };
    let said = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    let router = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(async move || Json(said)),
        )
        .route(
            "/keys",
            get(
                async |State((set, asked)): State<(JwkSet, Arc<AtomicUsize>)>| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    Json(set)
                },
            ),
        )
        .with_state((set, Arc::clone(&asked)));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Issuer { url, asked }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn settings(issuer: &Issuer) -> AuthConfig {
    let mut auth = auth();
    auth.jwt_issuer = Some(issuer.url.clone());
    auth.jwt_audience = Some(AUDIENCE.to_owned());
    auth
}

fn claims(issuer: &Issuer, change: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer.url, "aud": [AUDIENCE, "others"], "sub": "alice", "exp": now() + 600,
        "factorial_role": "operator", "factorial_owner": "me",
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

#[tokio::test]
async fn a_token_gives_what_its_claims_say() {
    let (ec, ed, rsa) = (Signer::ec("one"), Signer::ed("two"), Signer::rsa("three"));
    let issuer = issuer(&[&ec, &ed, &rsa]).await;
    let gateway = guarded_as(&settings(&issuer)).await;
    for signer in [&ec, &ed, &rsa] {
        let token = signer.sign(&claims(&issuer, &json!({})));
        let made = gateway
            .post_with(
                &token,
                "/v1/tasks",
                &json!({"agent": "writer", "query": "q"}),
            )
            .await;
        assert_eq!(
            (made.status, made.body["owner_id"].as_str()),
            (201, Some("me"))
        );
        let other = submission(&json!({"owner_id": "you"}));
        assert_eq!(
            gateway.post_with(&token, "/v1/tasks", &other).await.status,
            422
        );
        assert_eq!(gateway.get_with(&token, "/v1/keys").await.status, 403);
    }
    for (change, path, status) in [
        (
            json!({"factorial_owner": ["me", "you"]}),
            "/v1/tasks?owner_id=you",
            200,
        ),
        (json!({"factorial_owner": "*"}), "/v1/workers", 200),
        (json!({"factorial_owner": "me"}), "/v1/workers", 403),
        (
            json!({"factorial_owner": "*", "factorial_role": "admin"}),
            "/v1/keys",
            200,
        ),
        (
            json!({"factorial_owner": "*", "factorial_role": "viewer"}),
            "/v1/webhooks?owner_id=a",
            403,
        ),
        (json!({"exp": now() - 30}), "/v1/tasks", 200),
    ] {
        let token = ec.sign(&claims(&issuer, &change));
        assert_eq!(
            gateway.get_with(&token, path).await.status,
            status,
            "{change}"
        );
    }
    let audit = gateway.get_with(super::ADMIN, "/v1/audit").await;
    assert_eq!(audit.body["data"][0]["who"], "jwt:alice");
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "keys are kept");
}

#[tokio::test]
async fn anything_else_is_refused() {
    let signer = Signer::ec("one");
    let issuer = issuer(&[&signer]).await;
    let gateway = guarded_as(&settings(&issuer)).await;
    let good = signer.sign(&claims(&issuer, &json!({})));
    assert_eq!(gateway.get_with(&good, "/v1/tasks").await.status, 200);
    let mut bad = Vec::new();
    for change in [
        json!({"exp": now() - 90}),
        json!({"exp": null}),
        json!({"nbf": now() + 120}),
        json!({"iss": "https://evil.example.com"}),
        json!({"aud": "others"}),
        json!({"aud": null}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"factorial_role": null}),
        json!({"factorial_role": "root"}),
        json!({"factorial_role": ["admin"]}),
        json!({"factorial_owner": null}),
        json!({"factorial_owner": []}),
        json!({"factorial_owner": ["*"]}),
        json!({"factorial_owner": "a b"}),
        json!({"factorial_owner": 7}),
    ] {
        bad.push(signer.sign(&claims(&issuer, &change)));
    }
    // Another key under the same name, or under one that the issuer does not have.
    bad.push(Signer::ec("one").sign(&claims(&issuer, &json!({}))));
    bad.push(Signer::ec("other").sign(&claims(&issuer, &json!({}))));
    // Signed with what everybody knows, or with nothing.
    let public = serde_json::to_string(&signer.jwk()).unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    let secret = EncodingKey::from_secret(public.as_bytes());
    bad.push(encode(&header, &claims(&issuer, &json!({})), &secret).unwrap());
    let (_, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    // {"alg":"none","kid":"one"} and {"alg":"ES256"} with no signature
    bad.push(format!("eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.{body}."));
    bad.push(format!("eyJhbGciOiJFUzI1NiJ9.{body}."));
    bad.push(format!("{body}.{signature}"));
    bad.push("..".to_owned());
    for (at, token) in bad.iter().enumerate() {
        let refused = gateway.get_with(token, "/v1/tasks").await;
        assert_eq!(
            (refused.status, refused.code()),
            (401, "unauthenticated"),
            "{at}: {token}"
        );
    }
    let asked = issuer.asked.load(Ordering::SeqCst);
    assert!(asked <= 2, "made-up tokens are no flood: {asked}");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let signer = Signer::ed("one");
    let issuer = issuer(&[&signer]).await;
    let gateway = guarded_as(&settings(&issuer)).await;
    // A minute of difference between clocks is allowed for.
    let token = signer.sign(&claims(&issuer, &json!({"exp": now() - 57})));
    let request = gateway.with_key(&token, Method::GET, "/v1/events");
    let answer = request.header("accept", "text/event-stream").send().await;
    let mut stream = Frames::of(answer.unwrap()).await;
    let begun = Instant::now();
    while stream.more().await {}
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(gateway.get_with(&token, "/v1/tasks").await.status, 401);
}
