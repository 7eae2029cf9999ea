//! `GET /v1/batches/{id}/results`

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_core::TaskState;
use factorial_service::ApiError;
use http::header;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    batch::{Wanted, results},
    extract::{BatchInPath, Params, within},
    layers::Slot,
    ownership,
};

/// A batch has far fewer members.
const LARGEST_INDEX: u64 = (1 << 53) - 1;

/// Streams the results of the members that have ended.
///
/// One JSON document a line, in the order of the submission. Members that have not ended are left out, so a batch that runs
/// is read again from the start later, or with `status`; members that have expired are left out too. When the stream breaks
/// off, ask again with the last `index` as `starting_after`.
#[utoipa::path(
    get, path = "/batches/{id}/results", tag = "batches",
    params(
        ("id" = String, Path, description = "Id of the batch"),
        ("owner_id" = Option<String>, Query, description = "If given, a batch of another owner is not found"),
        ("starting_after" = Option<u64>, Query, description = "`index` of the last result that was read; from the first if absent"),
        ("status" = Option<factorial_api::TaskStatus>, Query, description = "Only members that ended like this"),
        ("limit" = Option<u64>, Query, minimum = 1, description = "Most results; all if absent"),
    ),
    responses((status = 200, description = "Results: each line is a `BatchResult`", content(
        (factorial_api::BatchResult = "application/x-ndjson"),
    ))),
    extensions(("x-problem-codes" = json!(["batch_not_found"]))),
)]
pub(crate) async fn list_batch_results(
    State(app): State<AppState>,
    caller: Caller,
    Extension(slot): Extension<Slot>,
    BatchInPath(id): BatchInPath,
    mut params: Params,
) -> Result<Response, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    let after = params.take("starting_after", within(0..=LARGEST_INDEX));
    let limit = params.take("limit", within(1..=LARGEST_INDEX));
    let state = params.take("status", |text| {
        let state = text
            .parse()
            .ok()
            .filter(|state: &TaskState| state.is_terminal());
        state.ok_or("must be completed, failed or cancelled")
    });
    params.finish()?;
    let record = owned::batch(&app, &id, owner.as_ref()).await?;
    let wait = app.wait(&slot, "results")?;
    let wanted = Wanted {
        batch: id,
        span: record.span,
        from: after.map_or(0, |index| index + 1),
        state,
        limit: limit.unwrap_or(u64::MAX),
    };
    let body = results(app.store.clone(), wanted, caller, wait);
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
    ];
    Ok((headers, body).into_response())
}
