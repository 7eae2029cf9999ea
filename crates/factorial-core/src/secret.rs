//! The secret of a namespace: what tokens are signed with that are valid without a key.

use deadpool_redis::redis;

use crate::{error::StoreError, script::Reply, store::Store};

impl Store {
    /// The secret of the namespace. The first caller's `fresh`, at least 32 random bytes as text, becomes it.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn secret(&self, fresh: &str) -> Result<String, StoreError> {
        let meta = self.0.keys.meta();
        let mut pipe = redis::pipe();
        pipe.cmd("HSETNX").arg(&meta).arg("secret").arg(fresh);
        pipe.cmd("HGET").arg(&meta).arg("secret");
        let mut replies = Reply::new("secret", self.0.link.pipeline(&pipe).await?);
        replies.value()?;
        replies.text()
    }
}
