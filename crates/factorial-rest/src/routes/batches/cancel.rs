//! `POST /v1/batches/{id}/cancel`

use axum::{Json, extract::State};
use factorial_api::{Batch, CancelBatchRequest};
use factorial_core::{BatchState, CancelBatchOutcome};
use factorial_service::{ApiError, ErrorKind};

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{BatchInPath, OptionalJson},
    ownership,
    refusal::{invalid, no_batch, store_error},
    submission::most_text,
};

/// Most characters of a reason.
const LONGEST_REASON: usize = 500;

/// Cancels a batch with all its members and their descendants.
///
/// It takes no more members from here on; when this is answered, all are cancelled that had not ended. Cancelling it again
/// is no error.
#[utoipa::path(
    post, path = "/batches/{id}/cancel", tag = "batches",
    params(("id" = String, Path, description = "Id of the batch")),
    request_body = Option<CancelBatchRequest>,
    responses((status = 200, description = "The batch, cancelled", body = Batch)),
    extensions(("x-problem-codes" = json!(["batch_not_found", "batch_finished"]))),
)]
pub(crate) async fn cancel_batch(
    State(app): State<AppState>,
    caller: Caller,
    BatchInPath(id): BatchInPath,
    OptionalJson(request): OptionalJson<CancelBatchRequest>,
) -> Result<Json<Batch>, ApiError> {
    let reason = request.reason.as_deref();
    if reason.is_some_and(|text| !most_text(text, LONGEST_REASON)) {
        return Err(invalid("/reason", "must be at most 500 characters"));
    }
    let owner = request.owner_id.as_deref();
    let owner = owner.map(|text| ownership::named(&caller, text));
    let owner = owner
        .transpose()
        .map_err(|problem| invalid("/owner_id", problem))?;
    owned::batch(&app, &id, owner.as_ref()).await?;
    let outcome = app.store.cancel_batch(&id, reason).await;
    match outcome.map_err(store_error)? {
        CancelBatchOutcome::Cancelled | CancelBatchOutcome::Finished(BatchState::Cancelled) => {}
        CancelBatchOutcome::Finished(state) => {
            return Err(ApiError::new(ErrorKind::BatchFinished)
                .with_detail(format!("the batch is {state}")));
        }
        CancelBatchOutcome::NotFound => return Err(no_batch()),
    }
    let record = owned::batch(&app, &id, None).await?;
    Ok(Json(convert::batch(record)))
}
