//! `reserve_key.lua`: an idempotency key whose task lives in another partition.

use crate::{
    error::StoreError,
    ids::TaskId,
    script::{Script, script},
    scripts::enqueue::{Enqueued, Idempotency},
    store::Store,
};

static RESERVE_KEY: Script = script!("reserve_key");

impl Store {
    /// `None`: the key is ours now.
    pub(crate) async fn reserve_key(
        &self,
        key: &Idempotency,
        id: &TaskId,
    ) -> Result<Option<Enqueued>, StoreError> {
        let mut reply = RESERVE_KEY
            .on(&self.base(key.home(self.partitions())))
            .arg(key.key())
            .arg(key.fingerprint())
            .arg(id.as_str())
            .arg(key.keep_ms())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "reserved" => Ok(None),
            "exists" => {
                let first = reply.text()?;
                first
                    .parse()
                    .map(|id| Some(Enqueued::Exists(id)))
                    .map_err(|_| reply.corrupt(first))
            }
            "key_reused" => Ok(Some(Enqueued::KeyReused)),
            other => Err(reply.corrupt(other)),
        }
    }
}
