//! What can go wrong in a command, in words that say what to do.

use std::error::Error as _;
use std::io;

use factorial_api::Problem;
use factorial_bench::{BenchError, RoleError};
use factorial_client::ClientError;
use factorial_service::HealthcheckError;
use factorial_service::config::ConfigErrors;

use crate::dev::DevError;
use crate::exit::Exit;
use crate::output::{clean_line, problem_text};

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    #[error("{text}")]
    Client { text: String, source: ClientError },
    #[error("{url}: {source}")]
    Unhealthy {
        url: String,
        source: HealthcheckError,
    },
    #[error("left; task {id} goes on (factorial tasks cancel {id})")]
    Interrupted { id: String },
    /// No call of the task waits for such an answer.
    #[error("{0}")]
    NothingOpen(String),
    #[error(
        "left; batch {id} goes on\n  factorial batch watch {id}   watches it again\n  \
         factorial batch cancel {id}  ends it"
    )]
    BatchLeft { id: String },
    #[error("left while the batch was being submitted; it may have been accepted")]
    Unsent,
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    #[error("cannot read {path}: {source}")]
    File { path: String, source: io::Error },
    #[error("cannot edit the arguments: {0}")]
    Editor(io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    #[error("{0}")]
    Dev(#[from] DevError),
    #[error("{0}")]
    Bench(#[from] BenchError),
    #[error("{0}")]
    BenchRole(#[from] RoleError),
    #[error("{0}")]
    Redis(#[from] factorial_core::ConnectError),
    #[error("cannot find this program, to start it again: {0}")]
    OwnProgram(io::Error),
}

impl CliError {
    /// A question that the gateway at `url` did not answer as hoped. `agent`: the one that was asked about.
    pub(crate) fn client(source: ClientError, url: &str, agent: Option<&str>) -> Self {
        let text = match &source {
            ClientError::Problem { problem, .. } => problem_text(problem, agent),
            ClientError::Transport { source, .. } => {
                let mut text = format!("cannot reach the gateway at {url}: {}", root(source));
                if source.is_connect() {
                    text.push_str(
                        "\n  start one with `factorial dev`, or name another with --url or FACTORIAL_URL",
                    );
                }
                text
            }
            ClientError::Status { status, body, .. } => {
                let body = clean_line(body);
                format!("{url} does not answer as a gateway does: status {status}: {body}")
            }
            ClientError::Decode(error) => {
                format!("{url} does not answer as a gateway of this version does: {error}")
            }
            ClientError::Silent => format!("the event stream of {url} stays silent"),
            ClientError::Setup(text) => text.clone(),
            ClientError::Read(error) => format!("cannot read what is to be sent: {error}"),
        };
        Self::Client { text, source }
    }

    /// What the service said, if it was the one that refused.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Client { source, .. } => source.problem(),
            _ => None,
        }
    }

    /// Sent again with the same idempotency key, a submission may go on where it stopped.
    pub(crate) fn goes_on_with_key(&self) -> bool {
        match self {
            Self::Unsent => true,
            Self::Client { source, .. } => source.is_temporary() && !source.is_connect(),
            _ => false,
        }
    }

    /// Whoever read standard output has read enough.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::Bench(BenchError::Options(_)) => Exit::Usage,
            Self::Client { source, .. } => exit_of(source),
            Self::Interrupted { .. }
            | Self::BatchLeft { .. }
            | Self::Unsent
            | Self::Bench(BenchError::Interrupted) => Exit::Interrupted,
            Self::NothingOpen(_) => Exit::Refused,
            Self::Unhealthy {
                source: HealthcheckError::Url(_),
                ..
            } => Exit::Usage,
            Self::Dev(error) => error.exit(),
            Self::Output(_) if self.is_closed_pipe() => Exit::Success,
            Self::Unhealthy { .. }
            | Self::Input(_)
            | Self::Write { .. }
            | Self::File { .. }
            | Self::Editor(_)
            | Self::Output(_)
            | Self::Signals(_)
            | Self::Bench(_)
            | Self::BenchRole(_)
            | Self::OwnProgram(_)
            | Self::Redis(_)
            | Self::Runtime(_) => Exit::Failed,
        }
    }
}

fn exit_of(error: &ClientError) -> Exit {
    match error {
        ClientError::Problem { problem, .. } => match problem.status {
            500 => Exit::Failed,
            429 | 501.. => Exit::Unavailable,
            _ => Exit::Refused,
        },
        ClientError::Status { .. } | ClientError::Transport { .. } | ClientError::Silent => {
            Exit::Unavailable
        }
        ClientError::Decode(_) | ClientError::Read(_) => Exit::Failed,
        ClientError::Setup(_) => Exit::Usage,
    }
}

/// The innermost cause, which is the one that says something.
fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
