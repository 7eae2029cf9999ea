//! Calls in paths, by their ids or by a token.
//!
//! Invariant: a token is a secret, and no refusal repeats it.

use axum::extract::{FromRequestParts, Path};
use factorial_core::TaskId;
use factorial_service::{ApiError, ErrorKind};
use http::request::Parts;

use super::names::{check_task, task_id};
use crate::{
    access::Caller,
    app::AppState,
    refusal::{invalid, no_call},
};

/// Most characters of the id of a call.
const LONGEST_CALL_ID: usize = 64;

/// `{id}` and `{call_id}`: a call of a task that can be one of this namespace.
pub(crate) struct CallInPath {
    pub(crate) task: TaskId,
    pub(crate) call: String,
}

/// `{token}`: the call that a callback token is for.
pub(crate) struct CallByToken {
    pub(crate) task: TaskId,
    pub(crate) call: String,
}

impl FromRequestParts<AppState> for CallInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, &()).await;
        let Ok(Path((id, call))) = path else {
            return Err(invalid("call_id", "is not UTF-8"));
        };
        let task = task_id(app, &id)?;
        // No call has another id; and some texts are other waits of the task.
        check_task(parts, app, &task).await?;
        if is_call_id(&call) {
            Ok(Self { task, call })
        } else {
            Err(no_call())
        }
    }
}

impl FromRequestParts<AppState> for CallByToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let not_valid = || ApiError::new(ErrorKind::InvalidToken);
        let path = Path::<String>::from_request_parts(parts, &()).await;
        let Path(token) = path.map_err(|_| not_valid())?;
        let (task, call) = app.tokens.verify(&app.store, &token).await?;
        let task = task_id(app, &task).map_err(|_| not_valid())?;
        Caller::from_request_parts(parts, app)
            .await?
            .note(&task, None);
        Ok(Self { task, call })
    }
}

fn is_call_id(text: &str) -> bool {
    (1..=LONGEST_CALL_ID).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
