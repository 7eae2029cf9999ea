//! `factorial batch run` and `watch`: submits many tasks at once and shows what becomes of them.

mod args;
mod progress;
mod save;
mod submit;
mod summary;
mod watch;

pub(crate) use args::{BatchRunArgs, BatchWatchArgs};
pub(crate) use save::{save, to_file};
pub(crate) use submit::run;
pub(crate) use watch::watch;
