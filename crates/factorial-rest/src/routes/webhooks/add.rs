//! `POST /v1/webhooks`

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::{AddWebhook, Webhook};
use factorial_core::{AddedWebhook, Webhook as StoredWebhook, WebhookId};
use factorial_service::{ApiError, ErrorKind};
use http::{HeaderValue, StatusCode, header};

use super::owned;
use crate::{
    access::Caller, app::AppState, convert, extract::Json, ownership, refusal::store_error,
    submission::check_owner_webhook,
};

/// Adds a webhook of an owner.
///
/// It is told of the events of all tasks and batches of the owner from now on. An owner has 16 at most. The same again (URL,
/// types and secret) is the same one, answered with 200, and is switched on if it was off.
#[utoipa::path(
    post, path = "/webhooks", tag = "webhooks",
    request_body = AddWebhook,
    responses(
        (status = 201, description = "The webhook was added", body = Webhook,
            headers(("location" = String, description = "Path of the webhook"))),
        (status = 200, description = "The owner has it already", body = Webhook,
            headers(("location" = String, description = "Path of the webhook"))),
    ),
    extensions(("x-problem-codes" = json!(["too_many_webhooks", "webhook_not_found", "store_full"]))),
)]
pub(crate) async fn add_webhook(
    State(app): State<AppState>,
    caller: Caller,
    Json(mut request): Json<AddWebhook>,
) -> Result<Response, ApiError> {
    ownership::or_own(&caller, &mut request.owner_id);
    let (owner, receiver) = check_owner_webhook(caller.owners(), request)?;
    let unique = app.clock.unique().to_string().to_ascii_lowercase();
    let id = WebhookId::new(format!("wh_{unique}")).map_err(ApiError::internal)?;
    let new = StoredWebhook {
        id,
        owner,
        receiver,
        created_ms: app.clock.now_ms(),
        on: true,
    };
    let added = app.store.add_webhook(&new).await.map_err(store_error)?;
    let (status, webhook) = match added {
        AddedWebhook::Added => (StatusCode::CREATED, new),
        AddedWebhook::Exists(id) => (StatusCode::OK, owned(&app, id, Some(&new.owner)).await?),
        AddedWebhook::Full => return Err(ApiError::new(ErrorKind::TooManyWebhooks)),
    };
    caller.note(&webhook.id, Some(&webhook.owner));
    let location = HeaderValue::from_str(&format!("/v1/webhooks/{}", webhook.id));
    let mut response = (status, axum::Json(convert::webhook(webhook))).into_response();
    // An id is ASCII, so there always is one.
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
