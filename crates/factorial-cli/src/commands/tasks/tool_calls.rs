//! `factorial tasks tool-calls`.

use clap::{Args, ValueEnum};
use factorial_api::ToolCallStatus;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::awaited_table;

#[derive(Clone, Debug, Args)]
pub(crate) struct ToolCallsArgs {
    /// Id of the task
    id: String,
    /// Only those that are open, or answered
    #[arg(long, value_enum)]
    status: Option<Which>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    Open,
    Answered,
}

/// Lists the calls of a task that are answered from outside.
pub(crate) async fn tool_calls(gateway: &Gateway, args: &ToolCallsArgs) -> Result<Exit, CliError> {
    let status = args.status.map(|which| match which {
        Which::Open => ToolCallStatus::Open,
        Which::Answered => ToolCallStatus::Answered,
    });
    let page = gateway
        .all(async |cursor| {
            let cursor = cursor.as_deref();
            let calls = gateway
                .client
                .tool_calls(&args.id, status, None, cursor, None);
            calls.await
        })
        .await?;
    let (now, width) = (gateway.now(), gateway.printer.streams.width);
    gateway.print(&page, |paint| awaited_table(&page.data, now, width, paint))
}
