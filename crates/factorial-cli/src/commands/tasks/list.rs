//! `factorial tasks list`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use factorial_api::{TaskPage, TaskStatus, Time};
use factorial_client::TaskFilter;

use crate::args::Common;
use crate::asked::seconds_of_age;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, task_table};

/// Most tasks of one page of the gateway.
const PAGE: u32 = 200;

const STATUSES: [TaskStatus; 9] = [
    TaskStatus::Scheduled,
    TaskStatus::Queued,
    TaskStatus::Processing,
    TaskStatus::Backoff,
    TaskStatus::PendingToolResults,
    TaskStatus::PendingChildTasks,
    TaskStatus::Completed,
    TaskStatus::Failed,
    TaskStatus::Cancelled,
];

#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Only those of this agent
    #[arg(long)]
    agent: Option<String>,
    /// Only those in one of these states, with commas between them
    #[arg(long, value_parser = status_parser(), value_delimiter = ',')]
    status: Vec<TaskStatus>,
    /// Only members of this batch
    #[arg(long, value_name = "ID")]
    batch: Option<String>,
    /// Only with this text in their id, or in a key or value of their metadata
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only made within this time, such as 90s, 5m, 2h or 3d
    #[arg(long, value_name = "AGE", value_parser = seconds_of_age)]
    since: Option<u64>,
    /// Only older than this
    #[arg(long, value_name = "AGE", value_parser = seconds_of_age)]
    until: Option<u64>,
    /// Only those that this worker runs
    #[arg(long, value_name = "ID")]
    worker: Option<String>,
    /// Only ended within this time
    #[arg(long, value_name = "AGE", value_parser = seconds_of_age)]
    ended_since: Option<u64>,
    /// Only ended before this time
    #[arg(long, value_name = "AGE", value_parser = seconds_of_age)]
    ended_until: Option<u64>,
    /// Most tasks to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on after a page: its `next_cursor`
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Lists tasks, newest first.
pub(crate) async fn list(gateway: &Gateway, args: &ListArgs) -> Result<Exit, CliError> {
    let filter = TaskFilter {
        owner_id: args.owner.clone(),
        agent: args.agent.clone(),
        status: args.status.clone(),
        batch_id: args.batch.clone(),
        text: args.search.clone(),
        created_after: args.since.map(|age| ago(gateway.now(), age)),
        created_before: args.until.map(|age| ago(gateway.now(), age)),
        finished_after: args.ended_since.map(|age| ago(gateway.now(), age)),
        finished_before: args.ended_until.map(|age| ago(gateway.now(), age)),
        worker_id: args.worker.clone(),
    };
    let mut all = TaskPage {
        data: Vec::new(),
        next_cursor: args.cursor.clone(),
    };
    loop {
        let got = u32::try_from(all.data.len()).unwrap_or(u32::MAX);
        let limit = Some(args.limit.saturating_sub(got).min(PAGE));
        let cursor = all.next_cursor.take();
        let page = gateway
            .ask(gateway.client.tasks(&filter, cursor.as_deref(), limit))
            .await?;
        all.data.extend(page.data);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() || all.data.len() >= args.limit as usize {
            break;
        }
    }
    let printed = gateway.print(&all, |paint| task_table(&all.data, gateway.now(), paint));
    if let (Some(cursor), Format::Table) = (&all.next_cursor, gateway.printer.format) {
        gateway
            .printer
            .note(&format!("There are more: --limit N, or --cursor {cursor}"));
    }
    printed
}

/// So many seconds before an instant.
fn ago(now: Time, seconds: u64) -> Time {
    let ms = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    Time::from_millis(now.as_millis().saturating_sub(ms).max(0))
}

fn status_parser() -> impl TypedValueParser<Value = TaskStatus> {
    PossibleValuesParser::new(STATUSES.map(TaskStatus::as_str)).try_map(|name| {
        let known = STATUSES.into_iter().find(|status| status.as_str() == name);
        known.ok_or("is not a state")
    })
}
