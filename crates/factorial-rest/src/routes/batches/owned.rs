//! A batch as its owner sees it, which is the only way for others not to see it.

use factorial_core::{BatchId, BatchRecord, OwnerId};
use factorial_service::ApiError;

use crate::{
    app::AppState,
    refusal::{no_batch, store_error},
};

/// The batch, which must be of this owner if one is given.
///
/// # Errors
/// `batch_not_found`, or the store does not answer.
pub(super) async fn batch(
    app: &AppState,
    id: &BatchId,
    owner: Option<&OwnerId>,
) -> Result<BatchRecord, ApiError> {
    let record = app.store.batch(id).await.map_err(store_error)?;
    record
        .filter(|record| owner.is_none_or(|owner| *owner == record.owner))
        .ok_or_else(no_batch)
}
