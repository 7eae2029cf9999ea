//! The audit log: who changed what, in a bounded stream of the namespace.
//!
//! Written by gateways and dashboards after the change; read newest first. Invariant: an entry holds no body and no secret.

use deadpool_redis::redis;
use serde::{Deserialize, Serialize};

use crate::{error::StoreError, ids::OwnerId, script::Reply, store::Store};

/// A change, or the refusal of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, ms since the Unix epoch, by the clock of whoever wrote it.
    pub at_ms: i64,
    /// `key:<id>`, `jwt:<subject>`, `admin_key`, or `anonymous`.
    pub who: String,
    /// The operation.
    pub operation: String,
    /// What it was about: an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerId>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// Of a refusal: its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Id of the request, as in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A page of the log.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    /// Each with its id; newest first.
    pub entries: Vec<(String, AuditEntry)>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// Appends entries, and drops the oldest beyond about `most`.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn append_audit(&self, entries: &[AuditEntry], most: u64) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        for entry in entries {
            let text = serde_json::to_string(entry)
                .map_err(|error| StoreError::corrupt("audit", error.to_string()))?;
            pipe.cmd("XADD")
                .arg(self.0.keys.audit())
                .arg("MAXLEN")
                .arg("~")
                .arg(most)
                .arg("*")
                .arg("e")
                .arg(text);
        }
        self.0.link.pipeline(&pipe).await.map(drop)
    }

    /// A page of the log, newest first. `cursor` is the id of the last entry seen, as [`is_audit_cursor`] takes it.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn audit(&self, cursor: Option<&str>, limit: usize) -> Result<AuditPage, StoreError> {
        let mut cmd = redis::cmd("XREVRANGE");
        cmd.arg(self.0.keys.audit())
            .arg(cursor.map_or_else(|| "+".to_owned(), |id| format!("({id}")))
            .arg("-")
            .arg("COUNT")
            .arg(limit + 1);
        let mut items = Reply::new("audit", vec![self.0.link.command(&cmd).await?]).array()?;
        let mut entries = Vec::new();
        while !items.is_empty() {
            let mut item = items.array()?;
            let id = item.text()?;
            let fields = item.array()?.texts()?;
            let entry = fields
                .get(1)
                .and_then(|text| serde_json::from_str(text).ok())
                .ok_or_else(|| StoreError::corrupt("audit", &*id))?;
            entries.push((id, entry));
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().map(|(id, _)| id.clone());
        Ok(AuditPage {
            entries,
            next: last.filter(|_| more),
        })
    }
}

/// Whether a text can be the id of an entry.
#[must_use]
pub fn is_audit_cursor(text: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().is_ok_and(|n| n.to_string() == text);
    text.split_once('-')
        .is_some_and(|(ms, n)| number(ms) && number(n))
}
