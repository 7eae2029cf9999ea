//! `factorial run`: submits a task and shows what becomes of it.

mod approvals;
mod args;
mod children;
mod desk;
mod ending;
mod errands;
mod follow;
mod lines;
mod screen;
mod submission;
mod transcript;
mod waits;

pub(crate) use args::RunArgs;
pub(crate) use follow::run;
pub(crate) use submission::text_or_stdin;
