//! The command line of `factorial run`.

use clap::Args;

use crate::args::Common;

#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Name of the agent
    pub(crate) agent: String,
    /// What to ask; `-` reads it from standard input
    pub(crate) query: String,
    /// Whose task it is
    #[arg(
        long,
        default_value = "cli",
        env = "FACTORIAL_OWNER",
        hide_env_values = true
    )]
    pub(crate) owner: String,
    /// JSON for the agent's tools
    #[arg(long, value_name = "JSON")]
    pub(crate) context: Option<String>,
    /// 0 (last) to 9 (first); 5 without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) priority: Option<u8>,
    /// Seconds to wait before it may run
    #[arg(long, value_name = "SECONDS")]
    pub(crate) delay: Option<f64>,
    /// A label of your own; can be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) metadata: Vec<(String, String)>,
    /// Go on with the conversation of this finished task of the same owner
    #[arg(long, value_name = "TASK_ID")]
    pub(crate) previous: Option<String>,
    /// Two submissions with the same key and content are one task
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// Show the text as it comes. Usual on a terminal; elsewhere the answer is printed once it is final, because
    /// text of a turn that is run again cannot be taken back there
    #[arg(long, conflicts_with_all = ["no_stream", "detach"])]
    pub(crate) stream: bool,
    /// Show the answer only when it is final
    #[arg(long)]
    pub(crate) no_stream: bool,
    /// Submit, print the task's id, and leave
    #[arg(long)]
    pub(crate) detach: bool,
    /// Do not ask for approvals here, but say how to give them
    #[arg(long)]
    pub(crate) no_prompt: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("is not KEY=VALUE".to_owned()),
    }
}
