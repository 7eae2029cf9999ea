//! `factorial tasks get`, `messages` and `retry`: what takes a task and nothing else.

use clap::Args;
use factorial_api::MessagePage;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{conversation, task_details};

#[derive(Clone, Debug, Args)]
pub(crate) struct TaskArgs {
    /// Id of the task
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Shows a task.
pub(crate) async fn get(gateway: &Gateway, args: &TaskArgs) -> Result<Exit, CliError> {
    let task = gateway.ask(gateway.client.task(&args.id)).await?;
    gateway.print(&task, |paint| task_details(&task, gateway.now(), paint))
}

/// Prints the whole conversation.
pub(crate) async fn messages(gateway: &Gateway, args: &TaskArgs) -> Result<Exit, CliError> {
    let mut all = MessagePage {
        data: Vec::new(),
        next_cursor: None,
    };
    loop {
        let cursor = all.next_cursor.take();
        let page = gateway
            .ask(gateway.client.messages(&args.id, cursor.as_deref(), None))
            .await?;
        all.data.extend(page.data);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() {
            break;
        }
    }
    gateway.print(&all, |paint| conversation(&all.data, paint))
}

/// Runs a failed or cancelled task again.
pub(crate) async fn retry(gateway: &Gateway, args: &TaskArgs) -> Result<Exit, CliError> {
    let task = gateway.ask(gateway.client.retry(&args.id)).await?;
    gateway.print(&task, |_| format!("{} {}\n", task.id, task.status.as_str()))
}
