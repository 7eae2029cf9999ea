//! Reports of progress with a call that is open.

use factorial_api::ToolCallProgress;
use factorial_core::{ProgressOutcome, TaskId, WaitKey};
use factorial_service::{ApiError, ErrorKind};
use serde_json::{Map, Value};

use super::bounds::Bounds;
use crate::{
    access::Caller,
    app::AppState,
    refusal::{no_call, no_task, store_error},
};

/// Most characters of a message.
const LONGEST_MESSAGE: usize = 4096;
/// Most bytes of the data, as JSON.
const MOST_DATA_BYTES: usize = 16 * 1024;

/// Puts a report into the event log of the task.
///
/// # Errors
/// When it says nothing or too much, or the call is not open.
pub(crate) async fn report(
    app: &AppState,
    caller: &Caller,
    id: &TaskId,
    call: String,
    report: ToolCallProgress,
) -> Result<(), ApiError> {
    let data = report.data.as_ref().map(serde_json::to_vec).transpose();
    let bytes = data
        .map_err(ApiError::internal)?
        .map_or(0, |text| text.len());
    let says = report.message.is_some() || report.progress.is_some() || report.data.is_some();
    let owner = Bounds::default()
        .require(says, "", "must have a message, progress or data")
        .text("/message", report.message.as_deref(), LONGEST_MESSAGE)
        .require(
            report
                .progress
                .is_none_or(|part| (0.0..=1.0).contains(&part)),
            "/progress",
            "must be 0 to 1",
        )
        .require(
            bytes <= MOST_DATA_BYTES,
            "/data",
            "must be at most 16384 bytes",
        )
        .owner(caller, report.owner_id.as_deref())?;
    let mut event = Map::new();
    event.insert("call_id".to_owned(), call.as_str().into());
    event.extend(
        report
            .message
            .map(|text| ("message".to_owned(), text.into())),
    );
    event.extend(
        report
            .progress
            .map(|part| ("progress".to_owned(), part.into())),
    );
    event.extend(report.data.map(|data| ("data".to_owned(), data.into())));
    let (key, event) = (WaitKey::Call(call), Value::Object(event));
    let reported = app.store.report_progress(id, &key, &event, owner.as_ref());
    match reported.await.map_err(store_error)? {
        ProgressOutcome::Reported => Ok(()),
        ProgressOutcome::Closed => Err(ApiError::new(ErrorKind::ToolCallClosed)),
        ProgressOutcome::Unknown => Err(no_call()),
        ProgressOutcome::Exhausted => Err(ApiError::new(ErrorKind::ProgressExhausted)),
        ProgressOutcome::NotFound => Err(no_task()),
    }
}
