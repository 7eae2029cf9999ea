//! The command line.

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use factorial_service::config::{ClientRole, ConfigArgs};

use crate::commands::{
    AgentsArgs, CancelArgs, EventsArgs, ListArgs, ResultArgs, SteerArgs, TaskArgs,
};
use crate::dev::DevArgs;
use crate::exit;
use crate::output::Format;
use crate::run::RunArgs;

/// Runs LLM agents that survive their machines: submit tasks, watch, steer and cancel them
#[derive(Clone, Debug, Parser)]
#[command(name = "factorial", version, max_term_width = 100, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in this process, to develop and to try out
    Dev(Box<DevArgs>),
    /// Submit a task and watch it: progress on standard error, the answer on standard output
    #[command(after_help = exit::HELP)]
    Run(RunArgs),
    /// List, show, steer, cancel and retry tasks
    Tasks {
        #[command(subcommand)]
        command: TasksCommand,
    },
    /// List agents, or show one
    Agents(AgentsArgs),
    /// List workers
    Workers(Common),
    /// Ask a health URL; for containers
    Healthcheck {
        /// Address to ask, such as http://127.0.0.1:8001/readyz
        url: String,
        /// Seconds to wait for the answer
        #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
        timeout: f64,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// List tasks, newest first
    List(ListArgs),
    /// Show a task
    Get(TaskArgs),
    /// Print what a task gave; the exit code says how it ended
    #[command(after_help = exit::HELP)]
    Result(ResultArgs),
    /// Print the conversation of a task
    Messages(TaskArgs),
    /// Print the events of a task
    Events(EventsArgs),
    /// Cancel a task, and the tasks that it has spawned
    Cancel(CancelArgs),
    /// Send a message to a running task
    Steer(SteerArgs),
    /// Run a failed or cancelled task again
    Retry(TaskArgs),
}

/// What all commands that talk to a gateway take.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Form of the output
    #[arg(
        long,
        short,
        value_enum,
        default_value_t,
        env = "FACTORIAL_OUTPUT",
        hide_env_values = true,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ConfigArgs<ClientRole>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
