//! JSON as it is given on the command line.

use std::fs;

use serde_json::{Map, Value};

use crate::error::CliError;
use crate::run::text_or_stdin;

/// The value of an option: JSON, or `@` and a file that holds it, or `-` for standard input.
///
/// # Errors
/// When it cannot be read, or is not JSON.
pub(super) fn json(option: &str, text: &str) -> Result<Value, CliError> {
    let read = match text.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|source| CliError::File {
            path: path.to_owned(),
            source,
        })?,
        None => text_or_stdin(text)?,
    };
    serde_json::from_str(&read)
        .map_err(|error| CliError::Usage(format!("{option} is not JSON: {error}")))
}

/// The same for what has to be an object.
///
/// # Errors
/// Also when it is none.
pub(super) fn object(option: &str, text: &str) -> Result<Map<String, Value>, CliError> {
    match json(option, text)? {
        Value::Object(map) => Ok(map),
        _ => Err(CliError::Usage(format!("{option} is not a JSON object"))),
    }
}
