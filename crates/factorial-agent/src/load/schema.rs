//! The form of an agent file.
//!
//! The JSON Schema beside this file says it once, for this check and for editors; a test holds it against the types.
//! Serde alone would stop at the first problem of a file.

use std::{path::Path, sync::LazyLock};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

use super::{
    problem::Problem,
    yaml::{Document, escape},
};
use crate::output;

static SCHEMA: LazyLock<Result<Validator, String>> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("agent.schema.json"))
        .map_err(|error| error.to_string())?;
    output::compile(&schema)
});

/// Tells everything in `document` that does not have the form of an agent.
pub(super) fn check(path: &Path, document: &Document, problems: &mut Vec<Problem>) {
    let validator = match SCHEMA.as_ref() {
        Ok(validator) => validator,
        Err(why) => {
            problems.push(Problem::of_file(path, why.as_str()));
            return;
        }
    };
    let mut found: Vec<Problem> = validator
        .iter_errors(&document.value)
        .flat_map(|error| tell(path, document, &error))
        .collect();
    found.sort_by_key(|problem| problem.place);
    found.dedup();
    problems.append(&mut found);
}

fn tell(path: &Path, document: &Document, error: &ValidationError<'_>) -> Vec<Problem> {
    let pointer = error.instance_path().as_str();
    let name = name(pointer);
    let problem = |place, message| Problem {
        file: path.to_owned(),
        place,
        message,
    };
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let unknown = |key: &String| {
            let known = known(error, key);
            problem(
                document.key_place(&format!("{pointer}/{}", escape(key))),
                format!("unknown key `{key}` in {name}{known}"),
            )
        };
        return unexpected.iter().map(unknown).collect();
    }
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => format!(
            "{name} lacks the key `{}`",
            property.as_str().unwrap_or_default()
        ),
        ValidationErrorKind::Enum { options } => format!("{name} must be one of {options}"),
        ValidationErrorKind::Type { .. } if error.instance().is_null() => {
            format!("{name} is empty")
        }
        _ => {
            let mut text = error.to_string();
            text.truncate(text.floor_char_boundary(300));
            format!("{name}: {text}")
        }
    };
    vec![problem(document.place(pointer), message)]
}

/// `; did you mean ...` for a key that looks like a known one of the same object.
fn known(error: &ValidationError<'_>, key: &str) -> String {
    let schema: Option<Value> = serde_json::from_str(include_str!("agent.schema.json")).ok();
    let place = error.schema_path().as_str();
    let parent = place.strip_suffix("/additionalProperties").unwrap_or(place);
    let properties = schema
        .as_ref()
        .and_then(|schema| schema.pointer(parent)?.get("properties")?.as_object());
    let close =
        properties.and_then(|properties| properties.keys().find(|known| is_close(known, key)));
    close.map_or_else(String::new, |close| format!("; did you mean `{close}`?"))
}

/// At most one letter more, less, other, or swapped with its neighbour; letter case and `-` aside.
fn is_close(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('-', "_").into_bytes();
    let (a, b) = (plain(a), plain(b));
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    matches!((a, b), ([] | [_], [] | [_])) || matches!((a, b), ([a, b], [c, d]) if a == d && b == c)
}

/// A pointer as people write it: `/tools/0/url` is `tools[0].url`.
pub(super) fn name(pointer: &str) -> String {
    if pointer.is_empty() {
        return "the agent".to_owned();
    }
    let mut name = String::from("`");
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|c| c.is_ascii_digit()) {
            name.push_str(&format!("[{part}]"));
        } else {
            if name.len() > 1 {
                name.push('.');
            }
            name.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    name.push('`');
    name
}
