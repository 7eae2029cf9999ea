//! `expire_waits.lua`: answers waits whose deadline has passed.

use crate::{
    error::StoreError,
    ids::Partition,
    script::{Script, script},
    scripts::promote::Promoted,
    store::Store,
};

static EXPIRE_WAITS: Script = script!("expire_waits");

impl Store {
    /// Answers up to `most` waits of a partition with `timeout`. Children that were waited for are left to [`Store::cascade`].
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn expire_waits(
        &self,
        partition: Partition,
        most: usize,
    ) -> Result<Promoted, StoreError> {
        let call = EXPIRE_WAITS.on(&self.base(partition)).arg(most);
        Promoted::parse(call.run(&self.0.link).await?)
    }
}
