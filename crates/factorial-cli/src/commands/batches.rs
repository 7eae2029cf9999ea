//! `factorial batch get`, `list`, `cancel` and `results`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use factorial_api::{BatchPage, TaskStatus};

use crate::args::Common;
use crate::batch::{save, to_file};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, batch_details, batch_table};

/// Most batches of one page of the gateway.
const PAGE: u32 = 200;

const ENDS: [TaskStatus; 3] = [
    TaskStatus::Completed,
    TaskStatus::Failed,
    TaskStatus::Cancelled,
];

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchArgs {
    /// Id of the batch
    id: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchListArgs {
    /// Only those of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Most batches to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on after a page: its `next_cursor`
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchCancelArgs {
    /// Id of the batch
    id: String,
    /// For the record
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchResultsArgs {
    /// Id of the batch
    id: String,
    /// Only members that ended like this
    #[arg(long, value_parser = end_parser())]
    status: Option<TaskStatus>,
    /// Only those after the member of this index
    #[arg(long, value_name = "INDEX")]
    starting_after: Option<u64>,
    /// Write them here instead of to standard output
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Shows a batch.
pub(crate) async fn batch_get(gateway: &Gateway, args: &BatchArgs) -> Result<Exit, CliError> {
    let batch = gateway.ask(gateway.client.batch(&args.id)).await?;
    gateway.print(&batch, |paint| batch_details(&batch, gateway.now(), paint))
}

/// Lists batches, newest first.
pub(crate) async fn batch_list(gateway: &Gateway, args: &BatchListArgs) -> Result<Exit, CliError> {
    let mut all = BatchPage {
        data: Vec::new(),
        next_cursor: args.cursor.clone(),
    };
    loop {
        let got = u32::try_from(all.data.len()).unwrap_or(u32::MAX);
        let limit = Some(args.limit.saturating_sub(got).min(PAGE));
        let cursor = all.next_cursor.take();
        let owner = args.owner.as_deref();
        let page = gateway
            .ask(gateway.client.batches(owner, cursor.as_deref(), limit))
            .await?;
        all.data.extend(page.data);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() || all.data.len() >= args.limit as usize {
            break;
        }
    }
    let printed = gateway.print(&all, |paint| batch_table(&all.data, gateway.now(), paint));
    if let (Some(cursor), Format::Table) = (&all.next_cursor, gateway.printer.format) {
        gateway
            .printer
            .note(&format!("There are more: --limit N, or --cursor {cursor}"));
    }
    printed
}

/// Cancels a batch with all its members; they are cancelled when this returns.
pub(crate) async fn batch_cancel(
    gateway: &Gateway,
    args: &BatchCancelArgs,
) -> Result<Exit, CliError> {
    let reason = args.reason.as_deref();
    let batch = gateway
        .ask(gateway.client.cancel_batch(&args.id, reason))
        .await?;
    gateway.print(&batch, |_| {
        let cancelled = batch.count(TaskStatus::Cancelled);
        let (id, status, members) = (&batch.id, batch.status.as_str(), batch.members);
        format!("{id} {status}: {cancelled} of {members} members cancelled\n")
    })
}

/// Prints the results of the members that have ended, one document a line whatever the format.
pub(crate) async fn batch_results(
    gateway: &Gateway,
    args: &BatchResultsArgs,
) -> Result<Exit, CliError> {
    let (id, after, status) = (&args.id, args.starting_after, args.status);
    match &args.file {
        Some(path) => to_file(gateway, id, after, status, path).await?,
        None => {
            save(gateway, id, after, status, "-".as_ref()).await?;
        }
    }
    Ok(Exit::Success)
}

fn end_parser() -> impl TypedValueParser<Value = TaskStatus> {
    PossibleValuesParser::new(ENDS.map(TaskStatus::as_str)).try_map(|name| {
        let known = ENDS.into_iter().find(|status| status.as_str() == name);
        known.ok_or("is not an end")
    })
}
