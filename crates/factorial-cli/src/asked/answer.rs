//! `factorial tasks answer`.

use clap::{ArgGroup, Args};
use factorial_api::{ToolCallError, ToolCallResult};
use serde_json::Value;

use super::decide::show_answer;
use super::given::json;
use super::open::{Answered, call_meant};
use crate::args::Common;
use crate::config::login_name;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::run::text_or_stdin;

#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("answer").required(true).args(["result", "text", "error"])))]
pub(crate) struct AnswerArgs {
    /// Id of the task
    task: String,
    /// Id of the call; not needed if the task has one that waits for a result
    call: Option<String>,
    /// The result: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    result: Option<String>,
    /// The result, as a text; - reads it from standard input
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// The call has failed; the model is told this message
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Who answers, for the record; the name under which you have logged in without it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Gives the result of a call, or says that it has failed.
pub(crate) async fn answer(gateway: &Gateway, args: AnswerArgs) -> Result<Exit, CliError> {
    let result = match (&args.result, &args.text) {
        (Some(text), _) => Some(json("--result", text)?),
        (None, Some(text)) => Some(Value::String(text_or_stdin(text)?)),
        (None, None) => None,
    };
    let call = args.call.as_deref();
    let call = call_meant(gateway, &args.task, call, Answered::Call).await?;
    let by = args.by.or_else(login_name);
    let answer = match result {
        Some(result) => {
            let result = ToolCallResult {
                result,
                by,
                owner_id: None,
            };
            let sent = gateway.client.answer_tool_call(&args.task, &call, &result);
            gateway.ask(sent).await?
        }
        None => {
            let error = ToolCallError {
                message: args.error.unwrap_or_default(),
                by,
                owner_id: None,
            };
            let sent = gateway.client.fail_tool_call(&args.task, &call, &error);
            gateway.ask(sent).await?
        }
    };
    show_answer(gateway, &answer)
}
