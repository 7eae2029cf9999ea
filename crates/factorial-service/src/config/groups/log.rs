//! What is logged, and in which form.

use tracing_subscriber::EnvFilter;

use crate::config::group::config_group;
use crate::config::value::Value;

config_group! {
    /// The log, on standard error.
    pub struct LogConfig, "Log", in "" {
        /// `pretty`, `json`, or `auto`: pretty on a terminal, JSON elsewhere.
        format: LogFormat = "auto", name "log_format";
        /// Least level, and levels by module: `info`, or `info,factorial_core=debug`.
        level: LogFilter = "info", name "log_level";
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Value for LogFormat {
    const KIND: &'static str = "FORMAT";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err("is not one of auto, pretty, json".to_owned()),
        }
    }
}

/// A list of levels that `tracing_subscriber::EnvFilter` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The list as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for LogFilter {
    const KIND: &'static str = "LEVELS";

    fn parse(text: &str) -> Result<Self, String> {
        // A single word would also pass as the name of a module, and a misspelt level with it.
        let first = text.split(',').next().unwrap_or_default();
        let is_module = first.contains(['=', '[']);
        if !is_module
            && first
                .parse::<tracing_subscriber::filter::LevelFilter>()
                .is_err()
        {
            return Err(
                "does not begin with one of error, warn, info, debug, trace, off".to_owned(),
            );
        }
        match EnvFilter::try_new(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!("is not a list of levels ({error})")),
        }
    }
}
