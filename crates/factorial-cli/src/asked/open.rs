//! Which call is meant when only the task is named.

use factorial_api::{Asks, AwaitedCall, ToolCallStatus};

use crate::error::CliError;
use crate::gateway::Gateway;
use crate::output::{clean_line, one_line};

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// A question for a yes or a no.
    Approval,
    /// A call, with its result.
    Call,
}

impl Answered {
    fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Call => "call to be answered",
        }
    }

    fn includes(self, call: &AwaitedCall) -> bool {
        (call.asks == Asks::Approval) == (self == Self::Approval)
    }
}

/// The call that is named, or else the only one of the task that is open.
///
/// # Errors
/// When there is none, or more than one to choose from.
pub(super) async fn call_meant(
    gateway: &Gateway,
    task: &str,
    call: Option<&str>,
    answered: Answered,
) -> Result<String, CliError> {
    if let Some(call) = call {
        return Ok(call.to_owned());
    }
    let open = gateway
        .all(async |cursor| {
            let (status, cursor) = (Some(ToolCallStatus::Open), cursor.as_deref());
            let calls = gateway.client.tool_calls(task, status, None, cursor, None);
            calls.await
        })
        .await?;
    let open: Vec<AwaitedCall> = open
        .data
        .into_iter()
        .filter(|call| answered.includes(call))
        .collect();
    match open.as_slice() {
        [only] => Ok(only.call_id.clone()),
        [] => Err(CliError::NothingOpen(format!(
            "task {task} has no open {}",
            answered.name()
        ))),
        many => Err(CliError::Usage(which(task, many, answered))),
    }
}

fn which(task: &str, calls: &[AwaitedCall], answered: Answered) -> String {
    let name = answered.name();
    let n = calls.len();
    let mut text = format!("task {task} has {n} of them open; name the {name}:");
    for call in calls {
        let (id, tool) = (clean_line(&call.call_id), clean_line(&call.tool));
        text.push_str(&format!("\n  {id}  {tool} {}", one_line(&call.arguments)));
    }
    text
}
