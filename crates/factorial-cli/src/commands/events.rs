//! `factorial events`.

use std::pin::pin;

use clap::Args;
use factorial_api::FeedEvent;
use factorial_client::FeedRequest;
use futures::StreamExt as _;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, feed_line};

#[derive(Clone, Debug, Args)]
pub(crate) struct FeedArgs {
    /// Whose tasks and batches
    #[arg(
        long,
        default_value = "cli",
        env = "FACTORIAL_OWNER",
        hide_env_values = true
    )]
    owner: String,
    /// Only of this task or batch; can be given again
    #[arg(long = "task", value_name = "ID")]
    tasks: Vec<String>,
    /// Only of this type; can be given again
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only types that fit, with `*` for any characters: `run_*`
    #[arg(long, value_name = "PATTERN")]
    pattern: Option<String>,
    /// Go on after the event with this `cursor` (of `--output json`) instead of now
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Prints the events of an owner as they happen, a line each, until it is interrupted.
pub(crate) async fn feed(gateway: &Gateway, args: &FeedArgs) -> Result<Exit, CliError> {
    let request = FeedRequest {
        task_ids: args.tasks.clone(),
        event_types: args.types.clone(),
        event_pattern: args.pattern.clone(),
        cursor: args.cursor.clone(),
    };
    let mut events = pin!(gateway.client.feed(&args.owner, request));
    while let Some(event) = events.next().await {
        let event = event.map_err(|source| gateway.failed(source))?;
        let line = line(gateway, &event).map_err(CliError::Output)?;
        gateway.printer.write(&line).map_err(CliError::Output)?;
    }
    Ok(Exit::Success)
}

fn line(gateway: &Gateway, event: &FeedEvent) -> std::io::Result<String> {
    match gateway.printer.format {
        Format::Table => Ok(feed_line(event, gateway.printer.out)),
        Format::Json => {
            let json = serde_json::to_string(event).map_err(std::io::Error::other)?;
            Ok(format!("{json}\n"))
        }
    }
}
