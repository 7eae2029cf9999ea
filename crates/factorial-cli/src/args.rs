//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use factorial_service::config::{ClientRole, ConfigArgs};

use crate::asked::{AnswerArgs, ApproveArgs, AskedArgs, DenyArgs, ReviewArgs};
use crate::batch::{BatchRunArgs, BatchWatchArgs};
use crate::bench::BenchArgs;
use crate::commands::{
    AgentsArgs, AuditArgs, BatchArgs, BatchCancelArgs, BatchListArgs, BatchResultsArgs, CancelArgs,
    EventsArgs, FeedArgs, KeysCommand, ListArgs, ResultArgs, SteerArgs, TaskArgs, ToolCallsArgs,
    TreeArgs, WebhooksCommand,
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
    /// Submit many tasks at once; watch, list and cancel batches
    Batch {
        #[command(subcommand)]
        command: BatchCommand,
    },
    /// List, approve and deny the tool calls that need a yes
    Approvals(ApprovalsArgs),
    /// List the tool calls that ask an operator for their results
    ToolCalls {
        #[command(subcommand)]
        command: ToolCallsCommand,
    },
    /// List agents, or show one; pause and resume them
    Agents(AgentsArgs),
    /// Watch what happens to all tasks and batches of an owner
    Events(FeedArgs),
    /// Tell other programs of ends and waits of tasks and batches; see what became of that
    Webhooks {
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// List workers
    Workers(Common),
    /// Make, list and revoke API keys
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print who changed what, newest first
    Audit(AuditArgs),
    /// Measure: how fast tasks are accepted, run and dispatched, and what they cost
    #[command(after_long_help = crate::bench::HELP)]
    Bench(Box<BenchArgs>),
    /// Become a process of a measurement
    #[command(hide = true)]
    BenchRole,
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
    /// Write man pages, one a command
    Man {
        /// Directory to write them to; made if it is not there
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Print the OpenAPI document, to generate clients from
    Openapi {
        /// Whose
        #[arg(long, value_enum, default_value_t)]
        service: DescribedService,
    },
}

/// Services that describe their operations.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum DescribedService {
    #[default]
    Gateway,
    Dashboard,
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
    /// Show a task with its descendants
    Tree(TreeArgs),
    /// List the tool calls of a task that are answered from outside
    ToolCalls(ToolCallsArgs),
    /// Give the result of a tool call that asks for it
    Answer(AnswerArgs),
}

/// `factorial approvals`: the list, unless something else is asked for.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ApprovalsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ApprovalsCommand>,
    #[command(flatten)]
    pub(crate) list: AskedArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ApprovalsCommand {
    /// List what waits for a yes, oldest first; also what `approvals` alone does
    List(AskedArgs),
    /// Say yes to a call
    Approve(ApproveArgs),
    /// Say no to a call
    Deny(DenyArgs),
    /// Decide one after the other, on the terminal
    Review(ReviewArgs),
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ToolCallsCommand {
    /// List the calls that wait for their results, oldest first
    List(AskedArgs),
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Submit a file of tasks, one a line, and watch them; the exit code is 0 if all completed
    #[command(after_help = exit::HELP)]
    Run(Box<BatchRunArgs>),
    /// Watch a batch to its end
    #[command(after_help = exit::HELP)]
    Watch(BatchWatchArgs),
    /// Show a batch
    Get(BatchArgs),
    /// List batches, newest first
    List(BatchListArgs),
    /// Print the results of the members that have ended, one a line
    Results(BatchResultsArgs),
    /// Cancel a batch with all its members
    Cancel(BatchCancelArgs),
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
