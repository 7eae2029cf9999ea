//! `factorial agents`.

use clap::{Args, Subcommand};

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{agent_details, agent_table};

/// `factorial agents`: the list, or one of them, unless something else is asked for.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AgentsArgs {
    #[command(subcommand)]
    command: Option<AgentsCommand>,
    /// Show this one only
    name: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Debug, Subcommand)]
enum AgentsCommand {
    /// Run nothing new of an agent; its tasks are accepted and wait, and those that run go on
    Pause(AgentArgs),
    /// Run the tasks of an agent again
    Resume(AgentArgs),
}

#[derive(Clone, Debug, Args)]
struct AgentArgs {
    /// Name of the agent
    name: String,
    #[command(flatten)]
    common: Common,
}

impl AgentsArgs {
    pub(crate) fn common(&self) -> &Common {
        match &self.command {
            Some(AgentsCommand::Pause(args) | AgentsCommand::Resume(args)) => &args.common,
            None => &self.common,
        }
    }
}

/// Lists agents, shows one, pauses or resumes one.
pub(crate) async fn agents(gateway: &Gateway, args: &AgentsArgs) -> Result<Exit, CliError> {
    let now = gateway.now();
    let client = &gateway.client;
    let agent = match (&args.command, &args.name) {
        (Some(AgentsCommand::Pause(args)), _) => {
            gateway.ask(client.pause_agent(&args.name)).await?
        }
        (Some(AgentsCommand::Resume(args)), _) => {
            gateway.ask(client.resume_agent(&args.name)).await?
        }
        (None, Some(name)) => gateway.ask(client.agent(name)).await?,
        (None, None) => {
            let page = gateway
                .all(async |cursor| client.agents(cursor.as_deref(), None).await)
                .await?;
            return gateway.print(&page, |paint| agent_table(&page.data, now, paint));
        }
    };
    gateway.print(&agent, |paint| agent_details(&agent, now, paint))
}
