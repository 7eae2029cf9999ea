//! `factorial tasks result`.

use std::time::Duration;

use clap::Args;
use factorial_api::{TaskResult, TaskStatus};

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, Tint, clean_line, failure_text, result_text};

#[derive(Clone, Debug, Args)]
pub(crate) struct ResultArgs {
    /// Id of the task
    id: String,
    /// Seconds to wait for the end of the task
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    wait: f64,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Prints what the task gave; anything else goes to standard error.
pub(crate) async fn result(gateway: &Gateway, args: &ResultArgs) -> Result<Exit, CliError> {
    let wait = Duration::try_from_secs_f64(args.wait)
        .map_err(|error| CliError::Usage(format!("--wait: {error}")))?;
    let result = gateway
        .ask(gateway.client.wait_result(&args.id, Some(wait)))
        .await?;
    show_result(gateway, &result)
}

/// Prints a result, and says how the task ended unless it completed.
pub(crate) fn show_result(gateway: &Gateway, result: &TaskResult) -> Result<Exit, CliError> {
    gateway.print(result, |_| result_text(result))?;
    if gateway.printer.format == Format::Table && result.status != TaskStatus::Completed {
        let (tint, text) = ending(result);
        gateway.printer.note(&gateway.printer.err.tint(tint, text));
    }
    Ok(Exit::of(result.status))
}

/// How the task ended, in words.
fn ending(result: &TaskResult) -> (Tint, String) {
    match (&result.failure, &result.cancel_reason) {
        (Some(failure), _) if result.status == TaskStatus::Failed => {
            (Tint::Bad, format!("failed: {}", failure_text(failure)))
        }
        (_, Some(reason)) => (Tint::Bad, format!("cancelled: {}", clean_line(reason))),
        _ if result.status.is_terminal() => (Tint::Bad, result.status.as_str().to_owned()),
        _ => (
            Tint::Plain,
            format!(
                "not ended yet: {} (--wait SECONDS waits for it)",
                result.status.as_str()
            ),
        ),
    }
}
