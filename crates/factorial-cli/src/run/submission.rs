//! From the command line to the task that is submitted.

use std::io::Read as _;

use factorial_api::SubmitTask;

use super::args::RunArgs;
use crate::error::CliError;

/// The task that the arguments describe.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn submission(args: &RunArgs, stream: bool) -> Result<SubmitTask, CliError> {
    let context = args
        .context
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    Ok(SubmitTask {
        agent: args.agent.clone(),
        owner_id: args.owner.clone(),
        query: Some(text_or_stdin(&args.query)?),
        context: context
            .map_err(|error| CliError::Usage(format!("--context is not JSON: {error}")))?,
        priority: args.priority,
        delay_seconds: args.delay,
        previous_task_id: args.previous.clone(),
        stream,
        metadata: args.metadata.iter().cloned().collect(),
        ..SubmitTask::default()
    })
}

/// The argument, or for `-` what standard input has, without its last line break.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub(crate) fn text_or_stdin(argument: &str) -> Result<String, CliError> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(CliError::Input)?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    Ok(text)
}
