//! `answer.lua`: answers a wait from outside.

use serde_json::Value;

use crate::{
    error::StoreError,
    ids::{OwnerId, TaskId},
    script::{Script, script},
    store::Store,
    task::TaskState,
    wait::{WaitKey, WaitKind, WaitOutcome},
};

static ANSWER: Script = script!("answer");

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// What is answered.
    pub key: &'a WaitKey,
    /// Who may be answered for this way.
    pub kinds: &'a [WaitKind],
    /// How.
    pub outcome: WaitOutcome,
    /// What it says.
    pub payload: &'a Value,
    /// Who answered, for the event log; a JSON object.
    pub by: Value,
    /// Only if the task is this owner's.
    pub owner: Option<&'a OwnerId>,
    /// Only if the caller holds the task under this token.
    pub token: Option<u64>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerOutcome {
    /// It counts; the task is in this state now.
    Answered(TaskState),
    /// The same answer was given before.
    Replayed,
    /// Another answer was given before, or none in time: this one counts.
    Conflict(WaitOutcome),
    /// The task awaits no such thing.
    Unknown,
    /// The task has ended, in this state, and never awaited it.
    Finished(TaskState),
    /// There is no such task, or it is another owner's.
    NotFound,
}

impl Store {
    /// Answers a wait. The first answer counts; the same again changes nothing.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn answer(
        &self,
        id: &TaskId,
        answer: &Answer<'_>,
    ) -> Result<AnswerOutcome, StoreError> {
        let kinds = answer.kinds.iter().fold(",".to_owned(), |mut all, kind| {
            all.push_str(kind.as_str());
            all.push(',');
            all
        });
        let event = match answer.outcome {
            WaitOutcome::Approved => "approval_granted",
            WaitOutcome::Denied => "approval_denied",
            _ => "tool_call_answered",
        };
        let mut data = answer.by.clone();
        if let (Some(data), WaitKey::Call(call) | WaitKey::Approval(call)) =
            (data.as_object_mut(), answer.key)
        {
            data.insert("call_id".to_owned(), call.as_str().into());
            data.insert("outcome".to_owned(), answer.outcome.as_str().into());
        }
        let mut reply = ANSWER
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(answer.key.to_string())
            .arg(kinds)
            .arg(answer.outcome.as_str())
            .arg(answer.payload.to_string())
            .arg(event)
            .arg(data.to_string())
            .arg(answer.owner.map_or("", OwnerId::as_str))
            .arg(answer.token.map_or_else(String::new, |t| t.to_string()))
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "answered" => Ok(AnswerOutcome::Answered(reply.text()?.parse()?)),
            "replayed" => Ok(AnswerOutcome::Replayed),
            "conflict" => Ok(AnswerOutcome::Conflict(reply.text()?.parse()?)),
            "unknown" => Ok(AnswerOutcome::Unknown),
            "finished" => Ok(AnswerOutcome::Finished(reply.text()?.parse()?)),
            "gone" => Ok(AnswerOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
