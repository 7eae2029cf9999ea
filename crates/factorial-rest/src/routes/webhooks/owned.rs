//! A webhook by its id, unless it is another owner's.

use factorial_core::{OwnerId, Webhook, WebhookId};
use factorial_service::ApiError;

use crate::{
    app::AppState,
    refusal::{no_webhook, store_error},
};

/// The webhook.
///
/// # Errors
/// `webhook_not_found`.
pub(super) async fn owned(
    app: &AppState,
    id: WebhookId,
    owner: Option<&OwnerId>,
) -> Result<Webhook, ApiError> {
    let found = app.store.webhooks(&[id]).await.map_err(store_error)?;
    let webhook = found.into_iter().next().flatten();
    webhook
        .filter(|webhook| owner.is_none_or(|owner| *owner == webhook.owner))
        .ok_or_else(no_webhook)
}
