//! API keys: who may call, as what, and for whom.
//!
//! Kept in the namespace without their secrets: what is stored is the SHA-256 of 256 random bits. Invariants: a key never
//! gets more rights than it was made with; one that was revoked stays so; every change is told on a channel, so that
//! whoever keeps keys in memory hears of it.

use std::{fmt, str::FromStr, time::Duration};

use deadpool_redis::redis;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StoreError,
    ids::{KeyId, OwnerId},
    owners::Owners,
    script::Reply,
    store::Store,
};

/// Most keys of a namespace.
pub const MOST_API_KEYS: usize = 10_000;

/// What somebody may do. Each may do what the ones before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Reads.
    Viewer,
    /// Submits, steers, cancels and answers.
    Submitter,
    /// Approves, retries, pauses agents, changes many at once, and has webhooks.
    Operator,
    /// Makes keys, and reads who did what.
    Admin,
}

impl KeyRole {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Submitter, Self::Operator, Self::Admin];

    /// Its name, stored and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Submitter => "submitter",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be viewer, submitter, operator or admin")]
pub struct InvalidKeyRole;

impl FromStr for KeyRole {
    type Err = InvalidKeyRole;

    fn from_str(text: &str) -> Result<Self, InvalidKeyRole> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.as_str() == text).ok_or(InvalidKeyRole)
    }
}

/// How much a key may ask for; what is `None` is as for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyLimits {
    /// Requests a second, in the long run, at each gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Requests at once, on top of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Bytes of a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body_bytes: Option<usize>,
}

/// A key as it is kept. Times are ms since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// What it is found by.
    pub id: KeyId,
    /// SHA-256 of its secret.
    pub digest: [u8; 32],
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// For whom.
    pub owners: Owners,
    /// How much.
    pub limits: KeyLimits,
    /// When it was made.
    pub created_ms: i64,
    /// By whom.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    sha256: String,
    name: String,
    role: KeyRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owners: Option<Vec<OwnerId>>,
    #[serde(flatten)]
    limits: KeyLimits,
    created_ms: i64,
    created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_ms: Option<i64>,
}

impl ApiKey {
    fn encode(&self) -> Result<String, StoreError> {
        let stored = Stored {
            sha256: hex::encode(self.digest),
            name: self.name.clone(),
            role: self.role,
            owners: self.owners.listed().map(<[OwnerId]>::to_vec),
            limits: self.limits,
            created_ms: self.created_ms,
            created_by: self.created_by.clone(),
            expires_ms: self.expires_ms,
            revoked_ms: self.revoked_ms,
        };
        serde_json::to_string(&stored).map_err(|_| Self::unreadable(&self.id))
    }

    fn decode(id: KeyId, text: &str) -> Result<Self, StoreError> {
        let bad = || Self::unreadable(&id);
        let stored: Stored = serde_json::from_str(text).map_err(|_| bad())?;
        let mut digest = [0; 32];
        hex::decode_to_slice(&stored.sha256, &mut digest).map_err(|_| bad())?;
        Ok(Self {
            digest,
            name: stored.name,
            role: stored.role,
            owners: stored
                .owners
                .map_or(Owners::All, |owners| Owners::Only(owners.into())),
            limits: stored.limits,
            created_ms: stored.created_ms,
            created_by: stored.created_by,
            expires_ms: stored.expires_ms,
            revoked_ms: stored.revoked_ms,
            id,
        })
    }

    fn unreadable(id: &KeyId) -> StoreError {
        StoreError::corrupt("key", id.to_string())
    }
}

/// What became of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedKey {
    /// It is there.
    Added,
    /// There is one with this id.
    Exists,
    /// There are as many as may be.
    Full,
}

/// What was heard of keys and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyNotice {
    /// This key was made or revoked.
    Key(KeyId),
    /// The session with this digest has ended.
    Session(String),
    /// Something may have been missed, and from here on nothing will be.
    Missed,
}

impl Store {
    /// Keeps a new key. When there are as many as may be, those that were revoked make room.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<AddedKey, StoreError> {
        let mut count = redis::cmd("HLEN");
        count.arg(self.0.keys.api_keys());
        let mut reply = Reply::new("key", vec![self.0.link.command(&count).await?]);
        if reply.count()? >= MOST_API_KEYS as u64 && !self.drop_revoked().await? {
            return Ok(AddedKey::Full);
        }
        let mut pipe = redis::pipe();
        pipe.cmd("HSETNX")
            .arg(self.0.keys.api_keys())
            .arg(key.id.as_str())
            .arg(key.encode()?);
        self.tell_key(&mut pipe, key.id.as_str());
        let mut replies = Reply::new("key", self.0.link.pipeline(&pipe).await?);
        Ok(match replies.count()? {
            0 => AddedKey::Exists,
            _ => AddedKey::Added,
        })
    }

    async fn drop_revoked(&self) -> Result<bool, StoreError> {
        let mut pipe = redis::pipe();
        for key in self.api_keys().await? {
            if key.revoked_ms.is_some() {
                for hash in [self.0.keys.api_keys(), self.0.keys.api_key_uses()] {
                    pipe.cmd("HDEL").arg(hash).arg(key.id.as_str());
                }
            }
        }
        if pipe.cmd_iter().next().is_none() {
            return Ok(false);
        }
        self.0.link.pipeline(&pipe).await.map(|_| true)
    }

    /// All keys, also those that were revoked, by id.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let mut cmd = redis::cmd("HGETALL");
        cmd.arg(self.0.keys.api_keys());
        let mut fields = Reply::new("key", vec![self.0.link.command(&cmd).await?]).map()?;
        let mut keys = Vec::new();
        while !fields.is_empty() {
            let id = key_id(fields.text()?)?;
            keys.push(ApiKey::decode(id, &fields.text()?)?);
        }
        keys.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    /// A key.
    ///
    /// # Errors
    /// When Redis does not answer, or it cannot be read.
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        let mut cmd = redis::cmd("HGET");
        cmd.arg(self.0.keys.api_keys()).arg(id.as_str());
        let mut reply = Reply::new("key", vec![self.0.link.command(&cmd).await?]);
        let text = reply.text_or_nil()?;
        text.map(|text| ApiKey::decode(id.clone(), &text))
            .transpose()
    }

    /// Revokes a key. Revoking it again changes nothing. `None`: there is no such key.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn revoke_api_key(
        &self,
        id: &KeyId,
        now_ms: i64,
    ) -> Result<Option<ApiKey>, StoreError> {
        let Some(mut key) = self.api_key(id).await? else {
            return Ok(None);
        };
        if key.revoked_ms.is_some() {
            return Ok(Some(key));
        }
        key.revoked_ms = Some(now_ms);
        let mut pipe = redis::pipe();
        pipe.cmd("HSET")
            .arg(self.0.keys.api_keys())
            .arg(id.as_str())
            .arg(key.encode()?);
        self.tell_key(&mut pipe, id.as_str());
        self.0.link.pipeline(&pipe).await?;
        Ok(Some(key))
    }

    fn tell_key(&self, pipe: &mut redis::Pipeline, notice: &str) {
        pipe.cmd("PUBLISH")
            .arg(self.0.keys.api_key_channel())
            .arg(format!("key {notice}"));
    }

    /// Notes when keys were used last, ms since the Unix epoch.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn note_api_key_uses(&self, uses: &[(KeyId, i64)]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut cmd = redis::cmd("HSET");
        cmd.arg(self.0.keys.api_key_uses());
        for (id, used_ms) in uses {
            cmd.arg(id.as_str()).arg(*used_ms);
        }
        self.0.link.command(&cmd).await.map(drop)
    }

    /// When these keys were used last, in the same order.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn api_key_uses(&self, ids: &[KeyId]) -> Result<Vec<Option<i64>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut cmd = redis::cmd("HMGET");
        cmd.arg(self.0.keys.api_key_uses());
        for id in ids {
            cmd.arg(id.as_str());
        }
        let mut values = Reply::new("key", vec![self.0.link.command(&cmd).await?]).array()?;
        ids.iter()
            .map(|_| Ok(values.text_or_nil()?.and_then(|text| text.parse().ok())))
            .collect()
    }

    /// Keeps a session for a time. `digest` is all that is kept of its id; `what` is the caller's.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn add_session(
        &self,
        digest: &str,
        what: &str,
        lasts: Duration,
    ) -> Result<(), StoreError> {
        let mut cmd = redis::cmd("SET");
        cmd.arg(self.0.keys.session(digest))
            .arg(what)
            .arg("EX")
            .arg(lasts.as_secs().max(1));
        self.0.link.command(&cmd).await.map(drop)
    }

    /// What is kept of a session, and how long it lasts from now on.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn session(&self, digest: &str) -> Result<Option<(String, Duration)>, StoreError> {
        let name = self.0.keys.session(digest);
        let mut pipe = redis::pipe();
        pipe.cmd("GET").arg(&name);
        pipe.cmd("PTTL").arg(&name);
        let mut replies = Reply::new("session", self.0.link.pipeline(&pipe).await?);
        let what = replies.text_or_nil()?;
        let left = u64::try_from(replies.int()?).unwrap_or(0);
        Ok(what.map(|what| (what, Duration::from_millis(left))))
    }

    /// Ends a session, wherever it is known.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn end_session(&self, digest: &str) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("DEL").arg(self.0.keys.session(digest));
        pipe.cmd("PUBLISH")
            .arg(self.0.keys.api_key_channel())
            .arg(format!("session {digest}"));
        self.0.link.pipeline(&pipe).await.map(drop)
    }

    /// What is told of keys and sessions, until `stop`.
    #[must_use]
    pub fn key_notices(&self, stop: CancellationToken) -> mpsc::Receiver<KeyNotice> {
        let (sender, receiver) = mpsc::channel(1024);
        let channels = vec![self.0.keys.api_key_channel()];
        self.listen(channels, stop, false, move |text| {
            let notice = match text.and_then(|text| text.split_once(' ')) {
                Some(("key", id)) => KeyId::new(id).map_or(KeyNotice::Missed, KeyNotice::Key),
                Some(("session", digest)) => KeyNotice::Session(digest.to_owned()),
                _ => KeyNotice::Missed,
            };
            match sender.try_send(notice) {
                // Whoever is so far behind reads everything anew every few seconds anyway.
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
        receiver
    }
}

fn key_id(text: String) -> Result<KeyId, StoreError> {
    KeyId::new(&text).map_err(|_| StoreError::corrupt("key", text))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        for (owners, expires_ms) in [
            (Owners::All, None),
            (Owners::Only(Vec::new().into()), Some(7)),
            (Owners::of(Some(OwnerId::new("a").unwrap())), Some(7)),
        ] {
            let key = ApiKey {
                id: KeyId::new("abcDEF123456").unwrap(),
                digest: [7; 32],
                name: "ci".to_owned(),
                role: KeyRole::Submitter,
                owners,
                limits: KeyLimits {
                    burst: Some(3),
                    ..KeyLimits::default()
                },
                created_ms: 1,
                created_by: "admin".to_owned(),
                expires_ms,
                revoked_ms: None,
            };
            let read = ApiKey::decode(key.id.clone(), &key.encode().unwrap()).unwrap();
            assert_eq!(read, key);
        }
    }

    #[test]
    fn each_role_may_do_what_the_ones_before_may() {
        assert!(KeyRole::ALL.is_sorted());
        for role in KeyRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("root".parse::<KeyRole>(), Err(InvalidKeyRole));
    }
}
