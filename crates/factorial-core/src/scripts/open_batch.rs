//! `open_batch.lua`: opens a batch.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    error::StoreError,
    ids::{BatchId, OwnerId},
    script::{Script, script},
    scripts::enqueue::Idempotency,
    store::Store,
    webhook::Receiver,
};

static OPEN_BATCH: Script = script!("open_batch");

/// How long a batch may take to fill; then it is sealed as it is.
const FILL: Duration = Duration::from_secs(3600);

/// A batch to be opened. Its members are enqueued one by one with [`BatchId::member`], then it is sealed.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Its id; with an idempotency key in the key's home partition.
    pub id: BatchId,
    /// Its owner, and that of all members.
    pub owner: OwnerId,
    /// How many members it will have.
    pub members: u64,
    /// Turns that each member may take; progress is measured in turns if it is there, in members else.
    pub turns_each: Option<u32>,
    /// Who is told of its events, and of those of members that have no webhook of their own.
    pub webhook: Option<Receiver>,
    /// Labels.
    pub metadata: BTreeMap<String, String>,
    /// Opens the same batch once.
    pub idempotency: Option<Idempotency>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenedBatch {
    /// Open.
    Opened,
    /// The same request has opened this one before.
    Exists(BatchId),
    /// The idempotency key belongs to another request.
    KeyReused,
}

impl Store {
    /// Opens a batch.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated with the same id.
    pub async fn open_batch(&self, batch: &NewBatch) -> Result<OpenedBatch, StoreError> {
        let (key, fingerprint, keep) = match &batch.idempotency {
            Some(i) => (i.key(), i.fingerprint(), i.keep_ms()),
            None => ("", "", 0),
        };
        let mut call = OPEN_BATCH
            .on(&self.base(batch.id.partition()))
            .arg(batch.id.as_str())
            .arg(batch.owner.as_str())
            .arg(batch.members)
            .arg(FILL.as_millis().to_string())
            .arg(key)
            .arg(fingerprint)
            .arg(keep)
            .arg(
                batch
                    .webhook
                    .as_ref()
                    .map_or_else(String::new, Receiver::encode),
            );
        let metadata = serde_json::to_string(&batch.metadata)
            .map_err(|e| StoreError::corrupt("metadata", e.to_string()))?;
        call = call.arg("metadata").arg(metadata);
        if let Some(turns) = batch.turns_each {
            call = call.arg("turns_each").arg(turns);
        }
        let mut reply = call.run(&self.0.link).await?;
        match reply.text()?.as_str() {
            "opened" => Ok(OpenedBatch::Opened),
            "exists" => {
                let id = reply.text()?;
                let id = id
                    .parse()
                    .map_err(|_| StoreError::corrupt("open_batch", id))?;
                Ok(OpenedBatch::Exists(id))
            }
            "key_reused" => Ok(OpenedBatch::KeyReused),
            other => Err(reply.corrupt(other)),
        }
    }
}
