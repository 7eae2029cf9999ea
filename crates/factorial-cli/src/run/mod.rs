//! `factorial run`: submits a task and shows what becomes of it.

mod args;
mod follow;
mod screen;
mod submission;
mod transcript;

pub(crate) use args::RunArgs;
pub(crate) use follow::run;
pub(crate) use submission::text_or_stdin;
