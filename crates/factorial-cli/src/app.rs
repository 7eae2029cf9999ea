//! From the command line to the exit code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use factorial_service::config::Environment;
use factorial_service::healthcheck;

use crate::args::{
    ApprovalsArgs, ApprovalsCommand, BatchCommand, Cli, Command, Common, TasksCommand,
    ToolCallsCommand,
};
use crate::asked;
use crate::batch;
use crate::bench;
use crate::commands;
use crate::config::Streams;
use crate::describe;
use crate::dev;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, Printer, Tint};
use crate::run;
use crate::services;

/// Threads at least: a tool that blocks one must not hold up the others.
const MIN_THREADS: usize = 4;

/// Runs the command that `args` name, the first being the name of the program.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    if let Some(service) = services::named(&args) {
        return service(args);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed stream is no reason for another message.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            }
            .into();
        }
    };
    let printer = Printer::new(cli.command.format(), Streams::of_process());
    let result = runtime(&cli.command)
        .map_err(CliError::Runtime)
        .and_then(|runtime| runtime.block_on(perform(cli.command, &printer)));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error, &printer);
            error.exit().into()
        }
    }
}

fn runtime(command: &Command) -> io::Result<tokio::runtime::Runtime> {
    let serves = matches!(
        command,
        Command::Dev(_) | Command::Bench(_) | Command::BenchRole
    );
    let mut builder = match serves {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    if serves {
        let cores = std::thread::available_parallelism().map_or(MIN_THREADS, usize::from);
        builder.worker_threads(cores.max(MIN_THREADS));
    }
    builder.enable_all().build()
}

async fn perform(command: Command, printer: &Printer) -> Result<Exit, CliError> {
    let environment = Environment::of_process();
    let gateway = |common: &Common| Gateway::connect(common, &environment, *printer);
    match command {
        Command::Dev(args) => {
            dev::run(*args, &environment, printer).await?;
            Ok(Exit::Success)
        }
        Command::Bench(args) => bench::run(&args, &environment, printer).await,
        Command::BenchRole => bench::role().await,
        Command::Run(args) => run::run(&gateway(&args.common)?, &args).await,
        Command::Agents(args) => commands::agents(&gateway(args.common())?, &args).await,
        Command::Events(args) => commands::feed(&gateway(&args.common)?, &args).await,
        Command::Webhooks { command } => {
            let gateway = gateway(command.common())?;
            commands::webhooks(&gateway, command).await
        }
        Command::Workers(common) => commands::workers(&gateway(&common)?).await,
        Command::Keys { command } => {
            let gateway = gateway(command.common())?;
            commands::keys(&gateway, command).await
        }
        Command::Audit(args) => commands::audit(&gateway(&args.common)?, &args).await,
        Command::Healthcheck { url, timeout } => {
            let limit = Duration::try_from_secs_f64(timeout)
                .map_err(|error| CliError::Usage(format!("--timeout: {error}")))?;
            healthcheck(&url, limit)
                .await
                .map_err(|source| CliError::Unhealthy { url, source })?;
            Ok(Exit::Success)
        }
        Command::Completions { shell } => {
            printer
                .write(&describe::completions(shell))
                .map_err(CliError::Output)?;
            Ok(Exit::Success)
        }
        Command::Man { directory } => {
            describe::man_pages(&directory).map_err(|source| CliError::Write {
                path: directory.display().to_string(),
                source,
            })?;
            Ok(Exit::Success)
        }
        Command::Openapi { service } => {
            printer
                .write(&describe::openapi(service))
                .map_err(CliError::Output)?;
            Ok(Exit::Success)
        }
        Command::Batch { command } => {
            let gateway = gateway(command.common())?;
            match command {
                BatchCommand::Run(args) => batch::run(&gateway, &args).await,
                BatchCommand::Watch(args) => batch::watch(&gateway, &args).await,
                BatchCommand::Get(args) => commands::batch_get(&gateway, &args).await,
                BatchCommand::List(args) => commands::batch_list(&gateway, &args).await,
                BatchCommand::Results(args) => commands::batch_results(&gateway, &args).await,
                BatchCommand::Cancel(args) => commands::batch_cancel(&gateway, &args).await,
            }
        }
        Command::Approvals(args) => approvals(&gateway(args.common())?, args).await,
        Command::ToolCalls { command } => {
            let ToolCallsCommand::List(args) = command;
            asked::list_tool_calls(&gateway(&args.common)?, &args).await
        }
        Command::Tasks { command } => {
            let gateway = gateway(command.common())?;
            match command {
                TasksCommand::List(args) => commands::list(&gateway, &args).await,
                TasksCommand::Get(args) => commands::get(&gateway, &args).await,
                TasksCommand::Result(args) => commands::result(&gateway, &args).await,
                TasksCommand::Messages(args) => commands::messages(&gateway, &args).await,
                TasksCommand::Events(args) => commands::events(&gateway, &args).await,
                TasksCommand::Cancel(args) => commands::cancel(&gateway, &args).await,
                TasksCommand::Steer(args) => commands::steer(&gateway, args).await,
                TasksCommand::Retry(args) => commands::retry(&gateway, &args).await,
                TasksCommand::Tree(args) => commands::tree(&gateway, &args).await,
                TasksCommand::ToolCalls(args) => commands::tool_calls(&gateway, &args).await,
                TasksCommand::Answer(args) => asked::answer(&gateway, args).await,
            }
        }
    }
}

async fn approvals(gateway: &Gateway, args: ApprovalsArgs) -> Result<Exit, CliError> {
    match args.command.unwrap_or(ApprovalsCommand::List(args.list)) {
        ApprovalsCommand::List(args) => asked::list_approvals(gateway, &args).await,
        ApprovalsCommand::Approve(args) => asked::approve(gateway, args).await,
        ApprovalsCommand::Deny(args) => asked::deny(gateway, args).await,
        ApprovalsCommand::Review(args) => asked::review(gateway, &args).await,
    }
}

/// Says what went wrong: as text, or as JSON for those who asked for it.
fn report(error: &CliError, printer: &Printer) {
    if error.is_closed_pipe() {
        return;
    }
    match (printer.format, error.problem()) {
        (Format::Json, Some(problem)) => {
            let json = serde_json::to_string_pretty(problem).unwrap_or_else(|_| error.to_string());
            printer.note(&json);
        }
        _ => {
            let label = printer.err.tint(Tint::Bad, "error:");
            printer.note(&format!("{label} {error}"));
        }
    }
}

impl Command {
    fn format(&self) -> Format {
        match self {
            Self::Run(args) => args.common.output,
            Self::Agents(args) => args.common().output,
            Self::Events(args) => args.common.output,
            Self::Workers(common) => common.output,
            Self::Keys { command } => command.common().output,
            Self::Audit(args) => args.common.output,
            Self::Batch { command } => command.common().output,
            Self::Webhooks { command } => command.common().output,
            Self::Approvals(args) => args.common().output,
            Self::ToolCalls {
                command: ToolCallsCommand::List(args),
            } => args.common.output,
            Self::Tasks { command } => command.common().output,
            Self::Bench(args) => args.common.output,
            Self::Dev(_)
            | Self::BenchRole
            | Self::Healthcheck { .. }
            | Self::Completions { .. }
            | Self::Man { .. }
            | Self::Openapi { .. } => Format::Table,
        }
    }
}

impl BatchCommand {
    fn common(&self) -> &Common {
        match self {
            Self::Run(args) => &args.common,
            Self::Watch(args) => &args.common,
            Self::Get(args) => &args.common,
            Self::List(args) => &args.common,
            Self::Results(args) => &args.common,
            Self::Cancel(args) => &args.common,
        }
    }
}

impl TasksCommand {
    fn common(&self) -> &Common {
        match self {
            Self::List(args) => &args.common,
            Self::Get(args) | Self::Messages(args) | Self::Retry(args) => &args.common,
            Self::Result(args) => &args.common,
            Self::Events(args) => &args.common,
            Self::Cancel(args) => &args.common,
            Self::Steer(args) => &args.common,
            Self::Tree(args) => &args.common,
            Self::ToolCalls(args) => &args.common,
            Self::Answer(args) => &args.common,
        }
    }
}

impl ApprovalsArgs {
    fn common(&self) -> &Common {
        match &self.command {
            None => &self.list.common,
            Some(ApprovalsCommand::List(args)) => &args.common,
            Some(ApprovalsCommand::Approve(args)) => &args.common,
            Some(ApprovalsCommand::Deny(args)) => &args.common,
            Some(ApprovalsCommand::Review(args)) => &args.which.common,
        }
    }
}
