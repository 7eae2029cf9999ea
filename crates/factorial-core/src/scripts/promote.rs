//! `promote.lua`: queues what is due.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::Partition,
    script::{Reply, Script, script},
    store::Store,
};

static PROMOTE: Script = script!("promote");

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promoted {
    /// Tasks that it moved or ended.
    pub count: u64,
    /// When there will be more to do; `None`: nothing is waiting.
    pub next: Option<Duration>,
}

impl Promoted {
    /// `ok`, how many, and when there is more.
    pub(crate) fn parse(mut reply: Reply) -> Result<Self, StoreError> {
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        Ok(Self {
            count: reply.count()?,
            next: next_due(&mut reply)?,
        })
    }
}

/// Time until the next work of a chore; -1 for none.
pub(crate) fn next_due(reply: &mut Reply) -> Result<Option<Duration>, StoreError> {
    Ok(u64::try_from(reply.int()?).ok().map(Duration::from_millis))
}

impl Store {
    /// Queues up to `most` tasks of a partition whose time has come.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn promote(&self, partition: Partition, most: usize) -> Result<Promoted, StoreError> {
        let call = PROMOTE.on(&self.base(partition)).arg(most);
        Promoted::parse(call.run(&self.0.link).await?)
    }
}
