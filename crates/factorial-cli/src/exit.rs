//! Exit codes, which scripts rely on.
//!
//! Every command ends with one of them. Invariant: a code never changes its meaning.

use std::process::ExitCode;

use factorial_api::TaskStatus;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Success,
    Failed,
    Usage,
    Cancelled,
    Unavailable,
    Refused,
    NotFinished,
    Interrupted,
}

/// The table for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done; the task completed
  1    the task failed, or something went wrong
  2    the command line or the configuration is wrong
  3    the task was cancelled
  4    the service cannot be reached, or is overloaded
  5    not found, or refused by the service
  6    the task has not ended yet
  130  interrupted, and the task was left running";

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Cancelled => 3,
            Self::Unavailable => 4,
            Self::Refused => 5,
            Self::NotFinished => 6,
            Self::Interrupted => 130,
        }
    }

    /// That of a command that shows how a task ended.
    pub(crate) fn of(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Completed => Self::Success,
            TaskStatus::Failed => Self::Failed,
            TaskStatus::Cancelled => Self::Cancelled,
            _ => Self::NotFinished,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
