//! `factorial approvals approve` and `deny`.

use clap::Args;
use factorial_api::{AnswerResponse, ApproveRequest, DenyRequest, ToolCallOutcome};

use super::given::object;
use super::open::{Answered, call_meant};
use crate::args::Common;
use crate::config::login_name;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::clean_line;

#[derive(Clone, Debug, Args)]
pub(crate) struct ApproveArgs {
    /// Id of the task
    task: String,
    /// Id of the call; not needed if the task has one open approval
    call: Option<String>,
    /// Make the call with these arguments instead of the model's: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    arguments: Option<String>,
    /// Who says so, for the record; the name under which you have logged in without it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DenyArgs {
    /// Id of the task
    task: String,
    /// Id of the call; not needed if the task has one open approval
    call: Option<String>,
    /// Why not; the model is told
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who says so, for the record; the name under which you have logged in without it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Says yes to a call.
pub(crate) async fn approve(gateway: &Gateway, args: ApproveArgs) -> Result<Exit, CliError> {
    let arguments = args
        .arguments
        .as_deref()
        .map(|text| object("--arguments", text))
        .transpose()?;
    let call = args.call.as_deref();
    let call = call_meant(gateway, &args.task, call, Answered::Approval).await?;
    let request = ApproveRequest {
        arguments,
        by: args.by.or_else(login_name),
        owner_id: None,
    };
    let answer = gateway
        .ask(gateway.client.approve(&args.task, &call, &request))
        .await?;
    show_answer(gateway, &answer)
}

/// Says no to a call.
pub(crate) async fn deny(gateway: &Gateway, args: DenyArgs) -> Result<Exit, CliError> {
    let call = args.call.as_deref();
    let call = call_meant(gateway, &args.task, call, Answered::Approval).await?;
    let request = DenyRequest {
        reason: args.reason,
        by: args.by.or_else(login_name),
        owner_id: None,
    };
    let answer = gateway
        .ask(gateway.client.deny(&args.task, &call, &request))
        .await?;
    show_answer(gateway, &answer)
}

/// Prints what became of an answer.
pub(super) fn show_answer(gateway: &Gateway, answer: &AnswerResponse) -> Result<Exit, CliError> {
    gateway.print(answer, |_| format!("{}\n", answer_text(answer)))
}

/// What became of an answer, in one line.
pub(super) fn answer_text(answer: &AnswerResponse) -> String {
    let before = if answer.replayed { ", as before" } else { "" };
    format!(
        "{} {} {}{before}; the task is {}",
        clean_line(&answer.task_id),
        clean_line(&answer.call_id),
        verb(answer.outcome),
        answer.task_status.as_str()
    )
}

fn verb(outcome: ToolCallOutcome) -> &'static str {
    match outcome {
        ToolCallOutcome::Result => "answered",
        ToolCallOutcome::Error => "answered with an error",
        other => other.as_str(),
    }
}
