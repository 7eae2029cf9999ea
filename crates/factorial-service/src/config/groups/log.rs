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
    /// The list, without blanks around its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for LogFilter {
    const KIND: &'static str = "LEVELS";

    fn parse(text: &str) -> Result<Self, String> {
        // The filter takes blanks for parts of names, and trips over those of several bytes.
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        // A single word would also pass as the name of a module, and a misspelt level with it.
        let first = parts.first().copied().unwrap_or_default();
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
        let list = parts.join(",");
        match EnvFilter::try_new(&list) {
            Ok(_) => Ok(Self(list)),
            Err(error) => Err(format!("is not a list of levels ({error})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_levels_are_not_part_of_them() {
        let expected = Ok(LogFilter("info,factorial_core=debug".to_owned()));
        for text in [
            "info,factorial_core=debug",
            " info, factorial_core=debug ",
            "info,\u{2028}factorial_core=debug",
        ] {
            assert_eq!(LogFilter::parse(text), expected, "{text:?}");
        }
        assert!(LogFilter::parse("info, factorial_core=loud").is_err());
    }
}
