//! JSON Web Tokens of an issuer, as the second way to say who calls.
//!
//! Signed with a private key that the issuer alone has; its public keys are read from where the settings say and kept.
//! Invariants: RS256, ES256 and EdDSA are taken and nothing else, whatever a token says of itself; a token without a role,
//! or without owners, gives nothing; made-up tokens are no flood of requests to the issuer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use factorial_core::{KeyRole, OwnerId, Owners};
use factorial_service::config::AuthConfig;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout};
use url::Url;

use super::{
    bucket::Bucket,
    caller::{Identity, Who},
};

/// How far clocks may differ.
const SKEW_SECONDS: u64 = 60;
/// The issuer is asked again for a key that is not known at most so often.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// And after a failure.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Keys that are older are read again: the issuer may have withdrawn some.
const KEYS_LAST: Duration = Duration::from_secs(15 * 60);
/// How long the issuer may take, and how much it may say.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 1024 * 1024;
/// Tokens that are kept with what they said.
const MOST_KNOWN: usize = 10_000;
/// Most characters of a token and of a subject.
const LONGEST_TOKEN: usize = 16 * 1024;
const LONGEST_SUBJECT: usize = 256;
/// What is taken.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// What the settings say of an issuer.
#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    issuer: String,
    audience: String,
    jwks: Option<Url>,
    owner_claim: String,
    role_claim: String,
}

impl IssuerSettings {
    /// `None`: tokens are not taken.
    pub(crate) fn new(config: &AuthConfig) -> Option<Self> {
        Some(Self {
            issuer: config.jwt_issuer.clone()?,
            audience: config.jwt_audience.clone()?,
            jwks: config.jwks_url.clone(),
            owner_claim: config.jwt_owner_claim.clone(),
            role_claim: config.jwt_role_claim.clone(),
        })
    }
}

/// An issuer, with its keys.
pub(crate) struct Issuer {
    settings: IssuerSettings,
    http: reqwest::Client,
    keys: ArcSwap<Vec<Jwk>>,
    /// When the keys were asked for last, and whether they came. Held while somebody asks.
    asked: tokio::sync::Mutex<Option<(Instant, bool)>>,
    /// By the digest of the token.
    known: Mutex<HashMap<[u8; 32], Arc<Identity>>>,
    /// By subject.
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
}

impl Issuer {
    /// Nothing is asked yet.
    pub(crate) fn new(settings: IssuerSettings) -> Self {
        let http = reqwest::Client::builder().timeout(ANSWERS_WITHIN).build();
        Self {
            settings,
            // The defaults of the library, if it cannot have this one.
            http: http.unwrap_or_default(),
            keys: ArcSwap::default(),
            asked: tokio::sync::Mutex::default(),
            known: Mutex::default(),
            buckets: Mutex::default(),
        }
    }

    /// Whoever has this token; `None`: it is not valid. `bucket`: how often each subject may ask.
    pub(crate) async fn identify(
        &self,
        token: &str,
        now_ms: i64,
        bucket: impl Fn() -> Option<Arc<Bucket>>,
    ) -> Option<Arc<Identity>> {
        if token.len() > LONGEST_TOKEN || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = lock(&self.known).get(&digest) {
            return Some(Arc::clone(known)).filter(|known| !known.has_ended(now_ms));
        }
        let claims = match self.verify(token).await {
            Ok(claims) => claims,
            Err(reason) => {
                tracing::debug!(reason, "token refused");
                return None;
            }
        };
        let mut identity = match self.read(&claims) {
            Ok(identity) => identity,
            Err(reason) => {
                tracing::debug!(reason, "token gives nothing");
                return None;
            }
        };
        identity.bucket = self.bucket_of(&identity.who, bucket);
        let identity = Arc::new(identity);
        let mut known = lock(&self.known);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, identity| !identity.has_ended(now_ms));
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
        }
        known.insert(digest, Arc::clone(&identity));
        Some(identity).filter(|identity| !identity.has_ended(now_ms))
    }

    fn bucket_of(
        &self,
        who: &Who,
        bucket: impl Fn() -> Option<Arc<Bucket>>,
    ) -> Option<Arc<Bucket>> {
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MOST_KNOWN {
            buckets.clear();
        }
        let name = who.to_string();
        if let Some(known) = buckets.get(&name) {
            return Some(Arc::clone(known));
        }
        let new = bucket()?;
        buckets.insert(name, Arc::clone(&new));
        Some(new)
    }

    async fn verify(&self, token: &str) -> Result<Map<String, Value>, &'static str> {
        let header = decode_header(token).map_err(|_| "it is no token")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("its algorithm is not taken");
        }
        let key = self.key(header.kid.as_deref(), header.alg).await;
        let key = key.ok_or("its key is not one of the issuer")?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| "its key cannot be read")?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = SKEW_SECONDS;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        decode::<Map<String, Value>>(token, &key, &validation)
            .map(|token| token.claims)
            .map_err(|_| "its signature, time, issuer or audience is wrong")
    }

    async fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
        if let Some(key) = self.find(kid, algorithm)
            && !self.are_old().await
        {
            return Some(key);
        }
        self.ask().await;
        self.find(kid, algorithm)
    }

    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
        let keys = self.keys.load();
        let mut fitting = keys.iter().filter(|key| {
            let common = &key.common;
            let signs = common
                .public_key_use
                .as_ref()
                .is_none_or(|used| *used == PublicKeyUse::Signature);
            let fits = common
                .key_algorithm
                .is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
            let named = kid.is_none() || common.key_id.as_deref() == kid;
            signs && fits && named
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key.clone()),
            // Which of them is not known.
            _ => None,
        }
    }

    async fn are_old(&self) -> bool {
        let asked = self.asked.lock().await;
        asked.is_none_or(|(at, _)| at.elapsed() > KEYS_LAST)
    }

    /// Asks for the keys, unless that was done a moment ago.
    async fn ask(&self) {
        let mut asked = self.asked.lock().await;
        let wait = |came| {
            if came {
                ASK_AGAIN_AFTER
            } else {
                TRY_AGAIN_AFTER
            }
        };
        if asked.is_some_and(|(at, came)| at.elapsed() < wait(came)) {
            return;
        }
        let fetched = timeout(2 * ANSWERS_WITHIN, self.fetch()).await;
        let came = match fetched.unwrap_or(Err("no answer in time")) {
            Ok(keys) => {
                self.keys.store(Arc::new(keys));
                true
            }
            Err(reason) => {
                tracing::warn!(reason, "keys of the issuer not read");
                false
            }
        };
        *asked = Some((Instant::now(), came));
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, &'static str> {
        let url = match &self.settings.jwks {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let set: JwkSet = self.get(url).await?;
        Ok(set.keys)
    }

    async fn discover(&self) -> Result<Url, &'static str> {
        let issuer = self.settings.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let url = Url::parse(&url).map_err(|_| "the issuer is not a URL")?;
        let said: Map<String, Value> = self.get(url).await?;
        if said.get("issuer").and_then(Value::as_str) != Some(&self.settings.issuer) {
            return Err("what is there is of another issuer");
        }
        let keys = said.get("jwks_uri").and_then(Value::as_str);
        keys.and_then(|keys| Url::parse(keys).ok())
            .ok_or("it does not say where its keys are")
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: Url) -> Result<T, &'static str> {
        let answer = self.http.get(url).send().await;
        let mut answer = answer.map_err(|_| "it cannot be reached")?;
        if !answer.status().is_success() {
            return Err("it answers with another status than 200");
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| "its answer broke off")? {
            body.extend_from_slice(&part);
            if body.len() > MOST_BYTES {
                return Err("its answer is too large");
            }
        }
        serde_json::from_slice(&body).map_err(|_| "its answer cannot be read")
    }

    /// What a token gives.
    fn read(&self, claims: &Map<String, Value>) -> Result<Identity, &'static str> {
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject
            .filter(|text| text.chars().count() <= LONGEST_SUBJECT)
            .filter(|text| !text.is_empty() && !text.chars().any(char::is_control))
            .ok_or("it has no subject that can be written down")?;
        let role = claims.get(&self.settings.role_claim);
        let role: KeyRole = role
            .and_then(Value::as_str)
            .and_then(|role| role.parse().ok())
            .ok_or("it has no role")?;
        let owners = owners(claims.get(&self.settings.owner_claim))?;
        // A number, or it would not have passed.
        let expires = claims.get("exp").and_then(Value::as_f64).unwrap_or(0.0);
        let ends = Duration::try_from_secs_f64(expires).unwrap_or_default();
        let ends = ends + Duration::from_secs(SKEW_SECONDS);
        Ok(Identity {
            role,
            owners,
            expires_ms: Some(i64::try_from(ends.as_millis()).unwrap_or(i64::MAX)),
            ..Identity::whole(Who::Subject(subject.to_owned()))
        })
    }
}

fn owners(claim: Option<&Value>) -> Result<Owners, &'static str> {
    let named = |name: &str| OwnerId::new(name).map_err(|_| "it names what cannot be an owner");
    match claim {
        Some(Value::String(all)) if all == "*" => Ok(Owners::All),
        Some(Value::String(name)) => Ok(Owners::of(Some(named(name)?))),
        Some(Value::Array(names)) if !names.is_empty() => {
            let names = names.iter().map(|name| named(name.as_str().unwrap_or("")));
            Ok(Owners::Only(names.collect::<Result<_, _>>()?))
        }
        _ => Err("it has no owners"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    /// Header, claims and signature, a line each, as they are before base64; what cannot be asked for a key gives nothing.
    #[test]
    fn fuzz_tokens() {
        let issuer = Issuer::new(IssuerSettings {
            issuer: "http://127.0.0.1:9".to_owned(),
            audience: "factorial".to_owned(),
            jwks: None,
            owner_claim: "owner".to_owned(),
            role_claim: "role".to_owned(),
        });
        // A set of keys that can be found, and has never signed anything.
        let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k","alg":"EdDSA","use":"sig"}]}"#;
        let set: Result<JwkSet, _> = serde_json::from_str(jwks);
        assert!(set.is_ok(), "{set:?}");
        issuer
            .keys
            .store(Arc::new(set.map(|set| set.keys).unwrap_or_default()));
        let claims = r#"{"iss":"http://127.0.0.1:9","aud":"factorial","sub":"me","exp":9999999999,"role":"admin","owner":["a","b"]}"#;
        let seeds = [
            format!(
                "{{\"alg\":\"EdDSA\",\"kid\":\"k\"}}\n{claims}\n{}",
                "s".repeat(64)
            ),
            format!("{{\"alg\":\"none\"}}\n{claims}\n"),
            format!("{{\"alg\":\"HS256\",\"kid\":\"k\"}}\n{claims}\nx"),
        ];
        let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
        factorial_fuzz::texts(&seeds, |text| {
            let mut parts: Vec<String> = text
                .splitn(3, '\n')
                .map(|part| URL_SAFE_NO_PAD.encode(part))
                .collect();
            parts.resize(3, String::new());
            // It was asked this moment, however long this goes on.
            if let Ok(mut asked) = issuer.asked.try_lock() {
                *asked = Some((Instant::now(), true));
            }
            for token in [parts.join("."), text.to_owned()] {
                let found = futures::FutureExt::now_or_never(issuer.identify(&token, 0, || None));
                assert!(
                    matches!(found, Some(None)),
                    "it was let in, or the issuer was asked"
                );
            }
            if let Ok(claims) = serde_json::from_str(text.split('\n').nth(1).unwrap_or_default()) {
                let _ = issuer.read(&claims);
            }
            if let Ok(set) = serde_json::from_str::<JwkSet>(text) {
                let _ = set.keys.iter().map(DecodingKey::from_jwk).count();
            }
        });
    }
}
