//! Webhooks: who is told of events, and of which.
//!
//! Those of an owner are defined in the namespace, and each partition has what its scripts need of them; that of a task
//! or a batch is kept with it. Invariant: a secret is in Redis and in memory, and is never printed.

use std::{fmt, str::FromStr};

use deadpool_redis::redis;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    ids::{OwnerId, WebhookId},
    script::{Reply, text},
    store::Store,
};

/// What webhooks are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEvent {
    /// A task has ended with an output.
    RunCompleted,
    /// A task has ended with a failure.
    RunFailed,
    /// A task was cancelled.
    RunCancelled,
    /// A task waits, and no worker holds it.
    RunParked,
    /// A tool call needs a yes.
    ApprovalRequested,
    /// A tool call is answered from outside.
    ToolCallDeferred,
    /// All members of a batch have ended.
    BatchCompleted,
    /// A batch was cancelled, and all its members have ended.
    BatchCancelled,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::RunCompleted,
        Self::RunFailed,
        Self::RunCancelled,
        Self::RunParked,
        Self::ApprovalRequested,
        Self::ToolCallDeferred,
        Self::BatchCompleted,
        Self::BatchCancelled,
    ];

    /// The type of the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunCompleted => "run_completed",
            Self::RunFailed => "run_failed",
            Self::RunCancelled => "run_cancelled",
            Self::RunParked => "run_parked",
            Self::ApprovalRequested => "approval_requested",
            Self::ToolCallDeferred => "tool_call_deferred",
            Self::BatchCompleted => "batch_completed",
            Self::BatchCancelled => "batch_cancelled",
        }
    }

    /// It is one of a batch, not of a task.
    #[must_use]
    pub fn is_of_batch(self) -> bool {
        matches!(self, Self::BatchCompleted | Self::BatchCancelled)
    }
}

impl FromStr for WebhookEvent {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|event| event.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("webhook event", text))
    }
}

/// Where events are sent, which, and what they are signed with.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Where to.
    pub url: String,
    /// Which; all when there are none.
    pub events: Vec<WebhookEvent>,
    /// Its own secret; without one that of the owner is used.
    pub secret: Option<SecretString>,
}

/// The webhook of a task.
#[derive(Clone, Debug)]
pub enum TaskWebhook {
    /// Its own.
    Own(Receiver),
    /// That of the batch that it is a member of.
    OfBatch,
}

impl Receiver {
    /// Types as scripts look for them: `*`, or each between commas.
    pub(crate) fn types(&self) -> String {
        if self.events.is_empty() {
            return "*".to_owned();
        }
        let mut types = String::from(",");
        for event in &self.events {
            types.push_str(event.as_str());
            types.push(',');
        }
        types
    }

    /// As it is kept with a task or a batch.
    pub(crate) fn encode(&self) -> String {
        let secret = self.secret.as_ref().map_or("-", |s| s.expose_secret());
        format!("{secret} {} {}", self.types(), self.url)
    }

    /// `None`: not of that form.
    pub(crate) fn decode(stored: &str) -> Option<Self> {
        let mut words = stored.splitn(3, ' ');
        let secret = Some(words.next()?).filter(|secret| *secret != "-");
        let events = words.next()?.split(',').filter(|t| !matches!(*t, "" | "*"));
        Some(Self {
            events: events.map(str::parse).collect::<Result<_, _>>().ok()?,
            secret: secret.map(SecretString::from),
            url: words.next()?.to_owned(),
        })
    }
}

impl TaskWebhook {
    /// As `enqueue` takes it.
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Own(receiver) => receiver.encode(),
            Self::OfBatch => "=".to_owned(),
        }
    }
}

/// A webhook of an owner.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub owner: OwnerId,
    /// Where to, and what.
    pub receiver: Receiver,
    /// When it was added, ms since the Unix epoch.
    pub created_ms: i64,
    /// False: its receiver wanted no more.
    pub on: bool,
}

#[derive(Serialize, Deserialize)]
struct Definition {
    owner: OwnerId,
    url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<WebhookEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    created_ms: i64,
}

impl Webhook {
    /// The definition as it is stored.
    pub(crate) fn definition(&self) -> Result<String, StoreError> {
        let secret = self.receiver.secret.as_ref();
        let definition = Definition {
            owner: self.owner.clone(),
            url: self.receiver.url.clone(),
            events: self.receiver.events.clone(),
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
            created_ms: self.created_ms,
        };
        serde_json::to_string(&definition).map_err(|_| Self::unreadable(&self.id))
    }

    /// What tells it from others of its owner.
    pub(crate) fn print(&self) -> String {
        use sha2::{Digest, Sha256};
        use std::fmt::Write as _;
        let hash = Sha256::digest(self.receiver.encode());
        hash.iter()
            .take(16)
            .fold(String::with_capacity(32), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    pub(crate) fn decode(id: WebhookId, stored: &str) -> Result<Self, StoreError> {
        let mut words = stored.splitn(3, ' ');
        let (state, _print) = (words.next(), words.next());
        let definition: Definition = words
            .next()
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| Self::unreadable(&id))?;
        Ok(Self {
            id,
            owner: definition.owner,
            receiver: Receiver {
                url: definition.url,
                events: definition.events,
                secret: definition.secret.map(SecretString::from),
            },
            created_ms: definition.created_ms,
            on: state == Some("on"),
        })
    }

    /// Says nothing of what is stored: a secret may be part of it.
    fn unreadable(id: &WebhookId) -> StoreError {
        StoreError::corrupt("webhook", id.to_string())
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Store {
    /// Webhooks of owners, in the same order; `None` for one that is not there.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn webhooks(&self, ids: &[WebhookId]) -> Result<Vec<Option<Webhook>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut cmd = redis::cmd("HMGET");
        cmd.arg(self.0.keys.webhooks());
        for id in ids {
            cmd.arg(id.as_str());
        }
        let mut values = Reply::new("webhook", vec![self.0.link.command(&cmd).await?]).array()?;
        ids.iter()
            .map(|id| match values.value()? {
                redis::Value::Nil => Ok(None),
                value => {
                    let stored = text(value).map_err(|_| Webhook::unreadable(id))?;
                    Webhook::decode(id.clone(), &stored).map(Some)
                }
            })
            .collect()
    }

    /// Owners whose webhooks changed and whose partitions do not all know it yet.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn owners_with_changed_webhooks(&self) -> Result<Vec<OwnerId>, StoreError> {
        let mut cmd = redis::cmd("HKEYS");
        cmd.arg(self.0.keys.webhook_changes());
        let owners = self.list("webhook", &cmd).await?;
        owners
            .into_iter()
            .map(|owner| {
                owner
                    .parse()
                    .map_err(|_| StoreError::corrupt("webhook", owner))
            })
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_read_as_it_was_written_and_hides_its_secret() {
        for (events, secret) in [
            (vec![], None),
            (
                vec![WebhookEvent::RunFailed, WebhookEvent::BatchCompleted],
                Some("whsec_c2VjcmV0"),
            ),
        ] {
            let receiver = Receiver {
                url: "https://example.org/a?b=c".to_owned(),
                events: events.clone(),
                secret: secret.map(SecretString::from),
            };
            let read = Receiver::decode(&receiver.encode()).unwrap();
            assert_eq!((&read.url, &read.events), (&receiver.url, &events));
            let read_secret = read.secret.as_ref().map(|s| s.expose_secret().to_owned());
            assert_eq!(read_secret.as_deref(), secret);
            assert!(!format!("{read:?}").contains("c2VjcmV0"));
        }
        assert!(Receiver::decode("- ,unknown, https://x").is_none());
    }
}
