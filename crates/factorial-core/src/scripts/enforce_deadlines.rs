//! `enforce_deadlines.lua`: ends tasks whose wall-clock limit has passed.

use crate::{
    error::StoreError,
    failure::{Failure, kind},
    ids::Partition,
    metrics,
    script::{Script, script},
    scripts::promote::Promoted,
    store::Store,
};

static ENFORCE_DEADLINES: Script = script!("enforce_deadlines");

impl Store {
    /// Ends up to `most` tasks of a partition whose wall-clock limit has passed.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn enforce_deadlines(
        &self,
        partition: Partition,
        most: usize,
    ) -> Result<Promoted, StoreError> {
        let failure = Failure {
            kind: kind::LIMIT_EXCEEDED.to_owned(),
            message: "the task's deadline has passed".to_owned(),
            status: None,
        };
        let failure = serde_json::to_string(&failure)
            .map_err(|e| StoreError::corrupt("failure", e.to_string()))?;
        let call = ENFORCE_DEADLINES
            .on(&self.base(partition))
            .arg(most)
            .arg(&failure)
            .arg(&failure)
            .arg(&self.0.timeline_arg);
        let ended = Promoted::parse(call.run(&self.0.link).await?)?;
        metrics::failed(ended.count);
        Ok(ended)
    }
}
