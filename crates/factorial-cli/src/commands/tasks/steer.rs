//! `factorial tasks steer`.

use clap::Args;
use factorial_api::{InputMessage, InputRole, SteerMode, SteerRequest};

use crate::args::Common;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::run::text_or_stdin;

#[derive(Clone, Debug, Args)]
pub(crate) struct SteerArgs {
    /// Id of the task
    id: String,
    /// What to tell the agent; `-` reads it from standard input
    message: String,
    /// Go on with the message at once, instead of at the next turn: aborts the open model call, or wakes a task that
    /// waits, whose open calls give the model the error `interrupted` and whose awaited children are cancelled
    #[arg(long)]
    interrupt: bool,
    /// An id of your own: the same one twice is applied once
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Sends a message to a running task.
pub(crate) async fn steer(gateway: &Gateway, args: SteerArgs) -> Result<Exit, CliError> {
    let request = SteerRequest {
        messages: vec![InputMessage {
            role: InputRole::User,
            content: text_or_stdin(&args.message)?,
        }],
        mode: if args.interrupt {
            SteerMode::Interrupt
        } else {
            SteerMode::NextTurn
        },
        client_id: args.client_id,
    };
    let answer = gateway
        .ask(gateway.client.steer(&args.id, &request))
        .await?;
    gateway.print(&answer, |_| {
        let accepted = if answer.accepted == 0 {
            "accepted before".to_owned()
        } else {
            "accepted".to_owned()
        };
        format!(
            "{} {accepted}, {} waiting\n",
            answer.task_id, answer.pending
        )
    })
}
