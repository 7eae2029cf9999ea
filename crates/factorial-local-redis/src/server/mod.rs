//! A real server as a child process.

mod orphan;
mod process;
mod watchdog;

pub(crate) use process::ServerProcess;
