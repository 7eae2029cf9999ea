//! `report_progress.lua`: tells of progress with an open call.

use serde_json::Value;

use crate::{
    error::StoreError,
    ids::{OwnerId, TaskId},
    script::{Script, script},
    store::Store,
    wait::WaitKey,
};

static REPORT_PROGRESS: Script = script!("report_progress");

/// Reports that a task accepts in its life.
const MOST_REPORTS: u64 = 10_000;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressOutcome {
    /// It is in the event log.
    Reported,
    /// The call was answered before.
    Closed,
    /// The task has made no such call.
    Unknown,
    /// The task has accepted too many reports.
    Exhausted,
    /// There is no such task, or it is another owner's.
    NotFound,
}

impl Store {
    /// Appends an event with `data`, a JSON object, while the call is open.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn report_progress(
        &self,
        id: &TaskId,
        key: &WaitKey,
        data: &Value,
        owner: Option<&OwnerId>,
    ) -> Result<ProgressOutcome, StoreError> {
        let mut reply = REPORT_PROGRESS
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(key.to_string())
            .arg(data.to_string())
            .arg(owner.map_or("", OwnerId::as_str))
            .arg(MOST_REPORTS)
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" => Ok(ProgressOutcome::Reported),
            "closed" => Ok(ProgressOutcome::Closed),
            "unknown" => Ok(ProgressOutcome::Unknown),
            "exhausted" => Ok(ProgressOutcome::Exhausted),
            "gone" => Ok(ProgressOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
