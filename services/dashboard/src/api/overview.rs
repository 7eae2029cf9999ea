//! `GET overview`

use axum::{Json, extract::State};
use factorial_api::{Overview, Window};
use factorial_core::AgentName;
use factorial_rest::{Params, store_error};
use factorial_service::{ApiError, ErrorKind};

use crate::app::App;

/// Shows how everything does, or one agent.
///
/// Hours that are over are summed up by a reaper; where none runs, a day and a week show what is still kept of them.
#[utoipa::path(
    get, path = "/overview", tag = "service",
    params(
        ("window" = Option<Window>, Query, description = "What is counted up; `hour` if absent"),
        ("agent" = Option<String>, Query, description = "Only this agent"),
    ),
    responses((status = 200, description = "The overview", body = Overview)),
    extensions(("x-problem-codes" = json!(["agent_not_found"]))),
)]
pub(crate) async fn get_overview(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<Overview>, ApiError> {
    let window = params.take("window", |text| match text {
        "hour" => Ok(Window::Hour),
        "day" => Ok(Window::Day),
        "week" => Ok(Window::Week),
        _ => Err("must be hour, day or week"),
    });
    let agent = params.take("agent", |text| AgentName::new(text).map_err(|e| e.problem));
    params.finish()?;
    let overview = app
        .overviews
        .get(window.unwrap_or_default(), agent.as_ref())
        .await
        .map_err(store_error)?;
    let overview = overview.ok_or_else(|| ApiError::new(ErrorKind::AgentNotFound))?;
    Ok(Json(Overview::clone(&overview)))
}
