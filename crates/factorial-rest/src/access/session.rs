//! Sessions: a login with a key, for browsers.
//!
//! The dashboard gives one to whoever sends a valid key, as a cookie with 256 random bits, of which Redis has the digest
//! alone. Invariants: a session may never do more than its key, and ends with it; one that has ended anywhere is refused
//! here within a second, while Redis answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use factorial_core::{KeyId, KeyRole, OwnerId, Owners, StoreError};
use factorial_service::ApiError;
use http::{HeaderMap, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::caller::{Caller, Identity, Who};
use crate::{
    app::AppState,
    clock::{fresh_secret, machine_ms},
    refusal::store_error,
};

/// How long a session lasts.
const SESSION_LASTS: Duration = Duration::from_secs(12 * 3600);
/// Between two looks at Redis for a session that is known.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Sessions that are kept in memory.
const MOST_KNOWN: usize = 10_000;
/// Name of the cookie; the second one is taken by browsers from a host over TLS alone.
const COOKIE: &str = "factorial-session";
const SECURE_COOKIE: &str = "__Host-factorial-session";

/// Whose session it is, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
enum Holder {
    Key {
        id: KeyId,
    },
    /// Of the key of the settings, with the beginning of its digest.
    AdminKey {
        print: String,
    },
    /// Of a token, with what it said.
    Subject {
        subject: String,
        role: KeyRole,
        owners: Option<Vec<OwnerId>>,
        expires_ms: Option<i64>,
    },
}

struct Known {
    identity: Arc<Identity>,
    /// `None`: it has to be looked at again.
    looked: Option<Instant>,
}

/// Sessions that are known.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Known>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was told that a session has ended.
    pub(crate) fn end(&self, digest: &str) {
        if let Some(known) = self.lock().remove(digest) {
            known.identity.ended.cancel();
        }
    }

    /// Something may have been missed: all are looked at again.
    pub(crate) fn doubt(&self) {
        for known in self.lock().values_mut() {
            known.looked = None;
        }
    }
}

/// A session that was begun.
pub struct NewSession {
    /// The value of `Set-Cookie`.
    pub cookie: String,
    /// Whose it is.
    pub caller: Caller,
}

impl AppState {
    /// Begins a session with a key or a token; `None`: it is not valid. `secure`: the browser speaks TLS.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn begin_session(
        &self,
        key: &SecretString,
        secure: bool,
    ) -> Result<Option<NewSession>, ApiError> {
        let Some(identity) = self.identify(key.expose_secret()).await? else {
            return Ok(None);
        };
        let holder = match &identity.who {
            Who::Key(id) => Holder::Key { id: id.clone() },
            Who::AdminKey => Holder::AdminKey {
                print: digest(key.expose_secret()),
            },
            Who::Subject(subject) => Holder::Subject {
                subject: subject.clone(),
                role: identity.role,
                owners: identity.owners.listed().map(<[OwnerId]>::to_vec),
                expires_ms: identity.expires_ms,
            },
            Who::Anonymous => return Ok(None),
        };
        let id = fresh_secret();
        let what = serde_json::to_string(&holder).map_err(ApiError::internal)?;
        let digest = digest(&id);
        let kept = self.store.add_session(&digest, &what, SESSION_LASTS);
        kept.await.map_err(store_error)?;
        let name = if secure { SECURE_COOKIE } else { COOKIE };
        let mark = if secure { "; Secure" } else { "" };
        let seconds = SESSION_LASTS.as_secs();
        Ok(Some(NewSession {
            cookie: format!(
                "{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{mark}"
            ),
            caller: Caller::new(identity),
        }))
    }

    /// Whether a request has a session that goes on.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub async fn has_session(&self, headers: &HeaderMap) -> Result<bool, ApiError> {
        self.session(headers).await.map(|caller| caller.is_some())
    }

    /// Ends the session of a request, and gives the values of `Set-Cookie` that make the browser forget it.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn end_session(&self, headers: &HeaderMap) -> Result<[String; 2], ApiError> {
        if let Some(id) = sent(headers) {
            let digest = digest(&id);
            self.store.end_session(&digest).await.map_err(store_error)?;
            self.sessions.end(&digest);
        }
        Ok([
            format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"),
            format!("{SECURE_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure"),
        ])
    }

    /// Whoever has the session of a request; `None`: there is none, or it has ended.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn session(&self, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
        let Some(id) = sent(headers) else {
            return Ok(None);
        };
        let digest = digest(&id);
        let known = {
            let sessions = self.sessions.lock();
            let known = sessions.get(&digest);
            known.map(|known| (Arc::clone(&known.identity), known.looked))
        };
        let identity = match known {
            Some((identity, Some(looked))) if looked.elapsed() < LOOK_EVERY => Some(identity),
            known => {
                let known = known.map(|(identity, _)| identity);
                let found = self.look_at_session(&digest, known).await;
                found.map_err(store_error)?
            }
        };
        let valid = identity.filter(|identity| !identity.has_ended(machine_ms()));
        Ok(valid.map(Caller::new))
    }

    async fn look_at_session(
        &self,
        digest: &str,
        known: Option<Arc<Identity>>,
    ) -> Result<Option<Arc<Identity>>, StoreError> {
        let Some((what, left)) = self.store.session(digest).await? else {
            self.sessions.end(digest);
            return Ok(None);
        };
        let identity = match known {
            Some(identity) => Some(identity),
            None => self.of_session(&what, left).await?.map(Arc::new),
        };
        if let Some(identity) = &identity {
            let mut sessions = self.sessions.lock();
            if sessions.len() >= MOST_KNOWN {
                sessions.clear();
            }
            let known = Known {
                identity: Arc::clone(identity),
                looked: Some(Instant::now()),
            };
            sessions.insert(digest.to_owned(), known);
        }
        Ok(identity)
    }

    /// Whoever a session is of, for as long as it lasts.
    async fn of_session(&self, what: &str, left: Duration) -> Result<Option<Identity>, StoreError> {
        let holder = serde_json::from_str(what).map_err(|_| StoreError::Corrupt {
            place: "session",
            detail: String::new(),
        })?;
        let of = match holder {
            Holder::Key { id } => self.keyring.holder(&self.store, &id).await?,
            Holder::AdminKey { print } => {
                let own = self.access.admin_key.as_ref();
                let same = own.is_some_and(|key| digest(key.expose_secret()) == print);
                same.then(|| Arc::clone(&self.admin))
            }
            Holder::Subject {
                subject,
                role,
                owners,
                expires_ms,
            } => Some(Arc::new(Identity {
                role,
                owners: owners.map_or(Owners::All, |owners| Owners::Only(owners.into())),
                expires_ms,
                ..Identity::whole(Who::Subject(subject))
            })),
        };
        let ends_ms = machine_ms() + i64::try_from(left.as_millis()).unwrap_or(0);
        Ok(of.map(|of| Identity {
            who: of.who.clone(),
            role: of.role,
            owners: of.owners.clone(),
            max_body_bytes: of.max_body_bytes,
            bucket: of.bucket.clone(),
            expires_ms: Some(of.expires_ms.map_or(ends_ms, |end| end.min(ends_ms))),
            ended: of.ended.child_token(),
        }))
    }
}

/// The id of a session that a request has.
fn sent(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut cookies = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let found = cookies.find(|(name, _)| [COOKIE, SECURE_COOKIE].contains(name));
    found.map(|(_, id)| id.to_owned())
}

/// What is kept of a secret: its SHA-256 in hexadecimal digits.
fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
