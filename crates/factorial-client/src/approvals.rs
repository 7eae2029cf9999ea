//! Approvals.

use factorial_api::{AnswerResponse, ApproveRequest, AskedCallPage, DenyRequest};

use crate::{client::Client, error::ClientError, tool_calls::AskedFilter};

impl Client {
    /// A page of the calls that wait for an approval, of all tasks, oldest first.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn approvals(
        &self,
        filter: &AskedFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<AskedCallPage, ClientError> {
        self.get(&["v1", "approvals"], &filter.query(cursor, limit))
            .await
    }

    /// Approves a call, perhaps with other arguments. The same again is no error.
    ///
    /// # Errors
    /// When the arguments are not those of the tool, the approval is not awaited, another answer came before, or this
    /// one remains unanswered.
    pub async fn approve(
        &self,
        id: &str,
        call_id: &str,
        approval: &ApproveRequest,
    ) -> Result<AnswerResponse, ClientError> {
        self.answer(id, call_id, "approve", approval).await
    }

    /// Denies a call. The same again is no error.
    ///
    /// # Errors
    /// When the approval is not awaited, another answer came before, or this one remains unanswered.
    pub async fn deny(
        &self,
        id: &str,
        call_id: &str,
        denial: &DenyRequest,
    ) -> Result<AnswerResponse, ClientError> {
        self.answer(id, call_id, "deny", denial).await
    }
}
