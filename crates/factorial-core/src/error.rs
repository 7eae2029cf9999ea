//! What can go wrong between a service and Redis.

use deadpool_redis::redis::RedisError;

/// Why Redis could not serve a call now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnavailableReason {
    /// No connection, or it broke.
    Connection,
    /// No answer in time.
    Timeout,
    /// Redis answers, but not yet or not here: loading, read only, failing over.
    NotReady,
}

/// A call to Redis failed. Whether its write took effect is unknown unless the variant says so; every script can be repeated.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Redis does not serve now; try again later.
    #[error("redis is unavailable ({reason:?}): {detail}")]
    Unavailable {
        /// In which way.
        reason: UnavailableReason,
        /// What the connection said; holds no secrets.
        detail: String,
    },
    /// Redis is out of memory; nothing was written.
    #[error("redis is out of memory")]
    Full,
    /// Redis refuses the command: permissions, or a server that is not what it should be.
    #[error("redis refused a command: {0}")]
    Refused(String),
    /// A reply, or a stored value, is not of the form that this version writes.
    #[error("unexpected content in redis ({place}): {detail}")]
    Corrupt {
        /// Script or record.
        place: &'static str,
        /// What was found.
        detail: String,
    },
}

impl StoreError {
    pub(crate) fn corrupt(place: &'static str, detail: impl Into<String>) -> Self {
        Self::Corrupt {
            place,
            detail: detail.into(),
        }
    }

    /// From the text of an error that a script met.
    pub(crate) fn in_script(detail: String) -> Self {
        if detail.contains("OOM command not allowed") {
            Self::Full
        } else {
            Self::Refused(detail)
        }
    }

    pub(crate) fn unavailable(reason: UnavailableReason, detail: impl Into<String>) -> Self {
        Self::Unavailable {
            reason,
            detail: detail.into(),
        }
    }

    /// An answer that was due did not come.
    #[must_use]
    pub fn silent(what: &str) -> Self {
        Self::unavailable(UnavailableReason::Timeout, what)
    }

    /// The call may succeed later as it is.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl From<RedisError> for StoreError {
    fn from(e: RedisError) -> Self {
        let detail = e.to_string();
        match e.code() {
            _ if detail.contains("OOM command not allowed") => Self::Full,
            Some("OOM") => Self::Full,
            Some(
                "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "MOVED"
                | "ASK" | "BUSY" | "NOREPLICAS" | "MISCONF" | "UNBLOCKED",
            ) => Self::unavailable(UnavailableReason::NotReady, detail),
            _ if e.is_timeout() => Self::unavailable(UnavailableReason::Timeout, detail),
            _ if e.is_io_error() || e.is_connection_dropped() || e.is_connection_refusal() => {
                Self::unavailable(UnavailableReason::Connection, detail)
            }
            Some(code) => Self::Refused(format!("{code}: {detail}")),
            None => Self::Refused(detail),
        }
    }
}
