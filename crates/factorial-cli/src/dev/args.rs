//! The command line of `factorial dev`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::given::Settings;

/// Options of `factorial dev`, and the settings of all roles.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevArgs {
    /// Where Redis comes from
    #[arg(
        long,
        value_enum,
        default_value_t,
        env = "FACTORIAL_DEV_REDIS",
        hide_env_values = true
    )]
    pub(crate) redis: RedisChoice,
    /// Where models come from
    #[arg(
        long,
        value_enum,
        default_value_t,
        env = "FACTORIAL_DEV_MODEL",
        hide_env_values = true
    )]
    pub(crate) model: ModelChoice,
    /// Directory for the data of the private Redis; one `factorial dev` at a time may use it
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".factorial",
        env = "FACTORIAL_DEV_DATA_DIR",
        hide_env_values = true
    )]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Where Redis comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedisChoice {
    /// The configured one; else a private redis-server or valkey-server; else the in-process engine
    #[default]
    Auto,
    /// A private redis-server or valkey-server from PATH
    Server,
    /// The in-process engine, for trying out
    Embedded,
}

/// Where models come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelChoice {
    /// The configured providers; else a local Ollama; else the simulated model
    #[default]
    Auto,
    /// The simulated model, whatever is configured
    Simulated,
}
