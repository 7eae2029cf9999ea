//! `POST session` and `DELETE session`

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse},
};
use factorial_api::LogIn;
use factorial_rest::{Caller, Json};
use factorial_service::{ApiError, ErrorKind};
use http::{Extensions, HeaderMap, StatusCode, header::SET_COOKIE};

use crate::app::App;

/// Logs in with a key: the browser gets a cookie that stands for it.
///
/// It lasts 12 hours, and ends when the key is revoked.
#[utoipa::path(
    post, path = "/session", tag = "keys",
    request_body = LogIn,
    responses((status = 204, description = "Logged in; the cookie is in `set-cookie`")),
    extensions(("x-problem-codes" = json!(["unauthenticated", "foreign_origin"]))),
)]
pub(crate) async fn log_in(
    State(app): State<App>,
    caller: Caller,
    extensions: Extensions,
    headers: HeaderMap,
    Json(request): Json<LogIn>,
) -> Result<impl IntoResponse, ApiError> {
    let secure = app.rest.is_encrypted(&extensions, &headers);
    let key = request.key.trim().into();
    let begun = app.rest.begin_session(&key, secure).await?;
    let Some(session) = begun else {
        let detail = "the key is not known, was revoked or has expired";
        return Err(ApiError::new(ErrorKind::Unauthenticated).with_detail(detail));
    };
    caller.is(&session.caller);
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, session.cookie)]),
    ))
}

/// Logs out.
///
/// The session is over wherever it is used. Without one this is no error.
#[utoipa::path(
    delete, path = "/session", tag = "keys",
    responses((status = 204, description = "Logged out")),
    extensions(("x-problem-codes" = json!(["foreign_origin"]))),
)]
pub(crate) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let cookies = app.rest.end_session(&headers).await?;
    let cookies = cookies.map(|cookie| (SET_COOKIE, cookie));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)))
}
