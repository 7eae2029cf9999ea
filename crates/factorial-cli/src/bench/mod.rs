//! `factorial bench`: composes the load generator with the command line, the terminal and this executable.

mod args;
mod command;
mod progress;
mod table;

pub(crate) use args::{BenchArgs, HELP};
pub(crate) use command::{role, run};
