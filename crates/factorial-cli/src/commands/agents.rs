//! `factorial agents`.

use clap::Args;

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{agent_details, agent_table};

#[derive(Clone, Debug, Args)]
pub(crate) struct AgentsArgs {
    /// Show this one only
    name: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Lists agents, or shows one.
pub(crate) async fn agents(gateway: &Gateway, args: &AgentsArgs) -> Result<Exit, CliError> {
    let now = gateway.now();
    match &args.name {
        Some(name) => {
            let agent = gateway.ask(gateway.client.agent(name)).await?;
            gateway.print(&agent, |paint| agent_details(&agent, now, paint))
        }
        None => {
            let page = gateway
                .all(async |cursor| gateway.client.agents(cursor.as_deref(), None).await)
                .await?;
            gateway.print(&page, |paint| agent_table(&page.data, now, paint))
        }
    }
}
