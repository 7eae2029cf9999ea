//! `factorial tasks cancel`.

use clap::Args;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;

#[derive(Clone, Debug, Args)]
pub(crate) struct CancelArgs {
    /// Id of the task
    id: String,
    /// For the record
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Cancels a task; it is cancelled when this returns.
pub(crate) async fn cancel(gateway: &Gateway, args: &CancelArgs) -> Result<Exit, CliError> {
    let task = gateway
        .ask(gateway.client.cancel(&args.id, args.reason.as_deref()))
        .await?;
    gateway.print(&task, |_| format!("{} {}\n", task.id, task.status.as_str()))
}
