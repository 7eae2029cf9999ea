//! `factorial approvals list` and `factorial tool-calls list`.

use clap::Args;
use factorial_api::AskedCallPage;
use factorial_client::{AskedFilter, ClientError};

use super::age::seconds;
use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, asked_table};

/// Most calls of one page of the gateway.
const PAGE: u32 = 200;

/// Which calls.
#[derive(Clone, Debug, Args)]
pub(crate) struct AskedArgs {
    /// Only of this owner's tasks
    #[arg(long)]
    owner: Option<String>,
    /// Only of this agent's tasks
    #[arg(long)]
    agent: Option<String>,
    /// Only those that wait for longer, such as 90s, 5m, 2h or 3d
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    older_than: Option<u64>,
    /// Most calls to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// List all
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl AskedArgs {
    pub(super) fn filter(&self) -> AskedFilter {
        AskedFilter {
            owner_id: self.owner.clone(),
            agent: self.agent.clone(),
            older_than_seconds: self.older_than,
        }
    }

    pub(super) fn most(&self) -> usize {
        if self.all {
            usize::MAX
        } else {
            usize::try_from(self.limit).unwrap_or(usize::MAX)
        }
    }
}

/// Lists what waits for a yes, oldest first.
pub(crate) async fn list_approvals(gateway: &Gateway, args: &AskedArgs) -> Result<Exit, CliError> {
    let found = open_approvals(gateway, args).await?;
    show(gateway, &found, "open approvals")
}

/// Lists the calls that ask an operator for their results, oldest first.
pub(crate) async fn list_tool_calls(gateway: &Gateway, args: &AskedArgs) -> Result<Exit, CliError> {
    let filter = args.filter();
    let ask = async |cursor: Option<String>, limit| {
        let calls = gateway
            .client
            .asked_tool_calls(&filter, cursor.as_deref(), limit);
        calls.await
    };
    let found = collect(gateway, ask, args.most()).await?;
    show(gateway, &found, "calls that ask an operator")
}

/// What waits for a yes, oldest first.
pub(super) async fn open_approvals(
    gateway: &Gateway,
    args: &AskedArgs,
) -> Result<AskedCallPage, CliError> {
    let filter = args.filter();
    let ask = async |cursor: Option<String>, limit| {
        let calls = gateway.client.approvals(&filter, cursor.as_deref(), limit);
        calls.await
    };
    collect(gateway, ask, args.most()).await
}

/// Pages until there are enough. One may be short, or empty, although others follow.
async fn collect(
    gateway: &Gateway,
    ask: impl AsyncFn(Option<String>, Option<u32>) -> Result<AskedCallPage, ClientError>,
    most: usize,
) -> Result<AskedCallPage, CliError> {
    let mut all = AskedCallPage {
        data: Vec::new(),
        next_cursor: None,
    };
    loop {
        let left = most.saturating_sub(all.data.len());
        let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page = gateway
            .ask(ask(all.next_cursor.take(), Some(limit)))
            .await?;
        all.data.extend(page.data);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() || all.data.len() >= most {
            return Ok(all);
        }
    }
}

fn show(gateway: &Gateway, found: &AskedCallPage, what: &str) -> Result<Exit, CliError> {
    let (now, width) = (gateway.now(), gateway.printer.streams.width);
    let printed = gateway.print(found, |paint| {
        asked_table(&found.data, what, now, width, paint)
    });
    if found.next_cursor.is_some() && gateway.printer.format == Format::Table {
        gateway.printer.note("There are more: --limit N, or --all");
    }
    printed
}
