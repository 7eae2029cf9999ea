//! `factorial tasks tree`.

use clap::Args;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::tree_text;

#[derive(Clone, Debug, Args)]
pub(crate) struct TreeArgs {
    /// Id of the task
    id: String,
    /// Most tasks to show, at most 5000; the deepest are left out
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    limit: u32,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Shows a task with its descendants.
pub(crate) async fn tree(gateway: &Gateway, args: &TreeArgs) -> Result<Exit, CliError> {
    let limit = Some(args.limit);
    let tree = gateway
        .ask(gateway.client.task_tree(&args.id, None, limit))
        .await?;
    gateway.print(&tree, |paint| tree_text(&tree, gateway.now(), paint))
}
