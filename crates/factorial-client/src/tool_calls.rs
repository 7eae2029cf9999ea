//! Calls that are answered from outside.

use factorial_api::{
    AnswerResponse, AskedCallPage, AwaitedCall, CallbackRequest, Page, ToolCallError,
    ToolCallProgress, ToolCallResult, ToolCallStatus,
};
use reqwest::Method;
use serde::Serialize;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
    tasks::page,
};

/// Which of the calls that wait for an operator to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedFilter {
    /// Only of this owner's tasks.
    pub owner_id: Option<String>,
    /// Only of this agent's tasks.
    pub agent: Option<String>,
    /// Only those that wait for longer.
    pub older_than_seconds: Option<u64>,
}

impl AskedFilter {
    pub(crate) fn query(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Vec<(&'static str, String)> {
        let mut query = page(cursor, limit);
        query.extend(self.owner_id.clone().map(|owner| ("owner_id", owner)));
        query.extend(self.agent.clone().map(|agent| ("agent", agent)));
        query.extend(
            self.older_than_seconds
                .map(|seconds| ("older_than_seconds", seconds.to_string())),
        );
        query
    }
}

impl Client {
    /// A page of the calls of a task that are answered from outside, those of its first reply first; of a task of
    /// `owner_id`, if that is given.
    ///
    /// # Errors
    /// When the task is not there, or the call remains unanswered.
    pub async fn tool_calls(
        &self,
        id: &str,
        status: Option<ToolCallStatus>,
        owner_id: Option<&str>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<AwaitedCall>, ClientError> {
        let mut query = page(cursor, limit);
        query.extend(status.map(|status| ("status", status.as_str().to_owned())));
        query.extend(owner_id.map(|owner| ("owner_id", owner.to_owned())));
        self.get(&["v1", "tasks", id, "tool-calls"], &query).await
    }

    /// A page of the calls that ask an operator for their results, of all tasks, oldest first.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn asked_tool_calls(
        &self,
        filter: &AskedFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<AskedCallPage, ClientError> {
        self.get(&["v1", "tool-calls"], &filter.query(cursor, limit))
            .await
    }

    /// Gives the result of a call. The same again is no error.
    ///
    /// # Errors
    /// When the call is not awaited, another answer came before, or this one remains unanswered.
    pub async fn answer_tool_call(
        &self,
        id: &str,
        call_id: &str,
        result: &ToolCallResult,
    ) -> Result<AnswerResponse, ClientError> {
        self.answer(id, call_id, "result", result).await
    }

    /// Says that a call has failed. The same again is no error.
    ///
    /// # Errors
    /// When the call is not awaited, another answer came before, or this one remains unanswered.
    pub async fn fail_tool_call(
        &self,
        id: &str,
        call_id: &str,
        error: &ToolCallError,
    ) -> Result<AnswerResponse, ClientError> {
        self.answer(id, call_id, "error", error).await
    }

    /// Reports progress with an open call. Never sent twice: it might be told twice.
    ///
    /// # Errors
    /// When the call is not open, or the report remains unanswered.
    pub async fn report_tool_call_progress(
        &self,
        id: &str,
        call_id: &str,
        progress: &ToolCallProgress,
    ) -> Result<(), ClientError> {
        let path = ["v1", "tasks", id, "tool-calls", call_id, "progress"];
        let request = self.request(Method::POST, &path).json(progress);
        let sent = self.send(request, Repeat::Never, self.0.timeout).await;
        sent.map(drop)
    }

    /// Answers the call that a callback token is for. The same again is no error.
    ///
    /// # Errors
    /// When the token is not valid, another answer came before, or this one remains unanswered.
    pub async fn answer_callback(
        &self,
        token: &str,
        answer: &CallbackRequest,
    ) -> Result<AnswerResponse, ClientError> {
        let request = self.request(Method::POST, &["v1", "callbacks", token]);
        self.send(request.json(answer), Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// Reports progress with the call that a callback token is for. Never sent twice: it might be told twice.
    ///
    /// # Errors
    /// When the token is not valid, the call is not open, or the report remains unanswered.
    pub async fn report_callback_progress(
        &self,
        token: &str,
        progress: &ToolCallProgress,
    ) -> Result<(), ClientError> {
        let path = ["v1", "callbacks", token, "progress"];
        let request = self.request(Method::POST, &path).json(progress);
        let sent = self.send(request, Repeat::Never, self.0.timeout).await;
        sent.map(drop)
    }

    /// An answer can be sent again: the first one counts, and the same is known again.
    pub(crate) async fn answer(
        &self,
        id: &str,
        call_id: &str,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<AnswerResponse, ClientError> {
        let path = ["v1", "tasks", id, "tool-calls", call_id, verb];
        let request = self.request(Method::POST, &path).json(body);
        self.send(request, Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }
}
