//! Whoever has sent a request.
//!
//! Put into the request by the guard, taken out by handlers. Invariant: what a caller may see is asked of it alone.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::extract::FromRequestParts;
use factorial_api::DashboardCaller;
use factorial_core::{KeyId, KeyRole, OwnerId, Owners};
use factorial_service::{ApiError, ErrorKind};
use http::request::Parts;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::bucket::Bucket;
use crate::{clock::machine_ms, convert};

/// A stream looks at the clock at least so often: clocks are set.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Nobody asks, so anybody.
    Anonymous,
    /// The key of the settings.
    AdminKey,
    /// A key.
    Key(KeyId),
    /// The subject of a token.
    Subject(String),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::AdminKey => f.write_str("admin_key"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Subject(subject) => write!(f, "jwt:{subject}"),
        }
    }
}

/// What is known of somebody, the same for all requests.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) who: Who,
    pub(crate) role: KeyRole,
    pub(crate) owners: Owners,
    /// Largest body, if it is bound.
    pub(crate) max_body_bytes: Option<usize>,
    pub(crate) bucket: Option<Arc<Bucket>>,
    /// When it ends by itself, ms since the Unix epoch.
    pub(crate) expires_ms: Option<i64>,
    /// Cancelled when it is revoked.
    pub(crate) ended: CancellationToken,
}

impl Identity {
    /// One that may do everything and never ends.
    pub(crate) fn whole(who: Who) -> Self {
        Self {
            who,
            role: KeyRole::Admin,
            owners: Owners::All,
            max_body_bytes: None,
            bucket: None,
            expires_ms: None,
            ended: CancellationToken::new(),
        }
    }

    /// It was revoked, or its time is over.
    pub(crate) fn has_ended(&self, now_ms: i64) -> bool {
        self.ended.is_cancelled() || self.expires_ms.is_some_and(|end| end <= now_ms)
    }
}

/// What a request was about, for the audit log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note {
    /// Who it turned out to be, where nobody was asked.
    pub(crate) who: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) owner: Option<OwnerId>,
}

/// Whoever has sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    identity: Arc<Identity>,
    note: Arc<Mutex<Note>>,
}

impl Caller {
    pub(crate) fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            note: Arc::default(),
        }
    }

    /// Somebody in this process who looks at everything.
    #[must_use]
    pub fn anybody() -> Self {
        Self::new(Arc::new(Identity::whole(Who::Anonymous)))
    }

    /// Somebody in this process who looks for all callers that see the same as this one. It has no limits and does not end.
    #[must_use]
    pub fn onlooker(&self) -> Self {
        Self::new(Arc::new(Identity {
            role: self.identity.role,
            owners: self.identity.owners.clone(),
            ..Identity::whole(Who::Anonymous)
        }))
    }

    /// Equal for callers that see the same.
    #[must_use]
    pub fn view(&self) -> String {
        let owners = self.owners().listed().map(|owners| {
            let names: Vec<&str> = owners.iter().map(OwnerId::as_str).collect();
            names.join(" ")
        });
        format!("{} {}", self.role(), owners.as_deref().unwrap_or("*"))
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether it may do what needs this role.
    #[must_use]
    pub fn may(&self, role: KeyRole) -> bool {
        self.identity.role >= role
    }

    /// What it may do.
    #[must_use]
    pub fn role(&self) -> KeyRole {
        self.identity.role
    }

    /// Whose things it sees.
    #[must_use]
    pub fn owners(&self) -> &Owners {
        &self.identity.owners
    }

    /// As it is shown to itself.
    #[must_use]
    pub fn shown(&self) -> DashboardCaller {
        let owners = self.owners().listed();
        DashboardCaller {
            name: self.name(),
            role: convert::role(self.role()),
            owner_ids: owners.map(|owners| owners.iter().map(OwnerId::to_string).collect()),
        }
    }

    /// For people: who it is.
    #[must_use]
    pub fn name(&self) -> String {
        self.identity.who.to_string()
    }

    /// Ends when the caller is not one any more: revoked, or expired.
    pub async fn ended(&self) {
        let expired = async {
            let Some(end) = self.identity.expires_ms else {
                return std::future::pending().await;
            };
            loop {
                let left = u64::try_from(end - machine_ms()).unwrap_or(0);
                if left == 0 {
                    return;
                }
                sleep(Duration::from_millis(left).min(LOOK_EVERY)).await;
            }
        };
        tokio::select! {
            () = self.identity.ended.cancelled() => {}
            () = expired => {}
        }
    }

    /// Says what the request is about, for the audit log.
    pub(crate) fn note(&self, subject: impl fmt::Display, owner: Option<&OwnerId>) {
        let mut note = self.lock();
        note.subject = Some(subject.to_string());
        if owner.is_some() {
            note.owner = owner.cloned();
        }
    }

    /// Says who it is, where nobody was asked.
    pub fn is(&self, caller: &Self) {
        self.lock().who = Some(caller.name());
    }

    pub(crate) fn noted(&self) -> Note {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Note> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| {
            ApiError::new(ErrorKind::Internal).caused_by("an operation without a guard")
        })
    }
}
