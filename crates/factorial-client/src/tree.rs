//! Trees of tasks.

use factorial_api::TaskTree;

use crate::{client::Client, error::ClientError};

impl Client {
    /// A task with its descendants, at most `limit` tasks: 500 if absent, and 5000 at most. A task of `owner_id`, if
    /// that is given.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn task_tree(
        &self,
        id: &str,
        owner_id: Option<&str>,
        limit: Option<u32>,
    ) -> Result<TaskTree, ClientError> {
        let limit = limit.map(|limit| ("limit", limit.to_string()));
        let owner = owner_id.map(|owner| ("owner_id", owner.to_owned()));
        let query: Vec<_> = limit.into_iter().chain(owner).collect();
        self.get(&["v1", "tasks", id, "tree"], &query).await
    }
}
