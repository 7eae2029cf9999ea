//! The command lines of `factorial batch run` and `watch`.

use std::path::PathBuf;

use clap::Args;

use crate::args::Common;

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchRunArgs {
    /// One task a line, as JSON: {"query": "…", "custom_id": "…", …}; `-` reads standard input
    pub(crate) file: PathBuf,
    /// Agent of the tasks that name none
    #[arg(long)]
    pub(crate) agent: Option<String>,
    /// Whose batch it is
    #[arg(
        long,
        default_value = "cli",
        env = "FACTORIAL_OWNER",
        hide_env_values = true
    )]
    pub(crate) owner: String,
    /// Turns that each task may take; progress is then measured in turns
    #[arg(long, value_name = "N")]
    pub(crate) max_turns: Option<u32>,
    /// Tokens that each task may use
    #[arg(long, value_name = "N")]
    pub(crate) max_total_tokens: Option<u64>,
    /// Seconds from submission to the end of each task, whatever it is doing
    #[arg(long, value_name = "SECONDS")]
    pub(crate) deadline: Option<u64>,
    /// Priority of the tasks that name none: 0 (last) to 9 (first); 5 without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) priority: Option<u8>,
    /// A label of the batch; can be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
    /// Two submissions with the same key and content are one batch
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Submit, print the batch's id, and leave
    #[arg(long, conflicts_with_all = ["results", "cancel_on_interrupt"])]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BatchWatchArgs {
    /// Id of the batch
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What to do while a batch runs, and when it has ended.
#[derive(Clone, Debug, Args)]
pub(crate) struct WatchArgs {
    /// Write the results here when the batch has ended, one a line; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) results: Option<PathBuf>,
    /// Let Ctrl-C cancel the batch; without it the batch goes on
    #[arg(long)]
    pub(crate) cancel_on_interrupt: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("is not KEY=VALUE".to_owned()),
    }
}
