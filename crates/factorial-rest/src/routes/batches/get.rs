//! `GET /v1/batches/{id}`

use axum::{Json, extract::State};
use factorial_api::Batch;
use factorial_service::ApiError;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{BatchInPath, Params},
    ownership,
};

/// Shows a batch.
///
/// With its progress: how many members are in which state.
#[utoipa::path(
    get, path = "/batches/{id}", tag = "batches",
    params(
        ("id" = String, Path, description = "Id of the batch"),
        ("owner_id" = Option<String>, Query, description = "If given, a batch of another owner is not found"),
    ),
    responses((status = 200, description = "The batch as it is now", body = Batch)),
    extensions(("x-problem-codes" = json!(["batch_not_found"]))),
)]
pub(crate) async fn get_batch(
    State(app): State<AppState>,
    caller: Caller,
    BatchInPath(id): BatchInPath,
    mut params: Params,
) -> Result<Json<Batch>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let record = owned::batch(&app, &id, owner.as_ref()).await?;
    Ok(Json(convert::batch(record)))
}
