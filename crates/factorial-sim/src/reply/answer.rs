//! The words of an answer.
//!
//! Called by `compose` when no tool is called. Invariant: decided by the view alone.

use serde_json::Value;

use super::view::View;
use crate::sample::Sampler;
use crate::wire::FormatKind;

/// Characters of each tool result that are quoted.
const QUOTED: usize = 400;

const OPENINGS: [&str; 4] = [
    "Certainly!",
    "Of course.",
    "Happy to help.",
    "Good question.",
];

const FILLER: &str =
    " The simulated model goes on in the same calm voice, one plain sentence after the other.";

pub(crate) fn answer(view: &View<'_, '_>) -> String {
    let wishes = &view.directives;
    if let Some(reply) = &wishes.reply {
        return reply.clone();
    }
    if wishes.noop {
        return "ok".to_owned();
    }
    match &view.request.response_format {
        Some(format) if format.kind == FormatKind::JsonSchema => {
            let schema = format
                .json_schema
                .as_ref()
                .and_then(|named| named.schema)
                .and_then(|schema| serde_json::from_str(schema.get()).ok())
                .unwrap_or(Value::Bool(true));
            Sampler::new(&schema, &view.query, view.seed)
                .sample()
                .to_string()
        }
        Some(format) if format.kind == FormatKind::JsonObject => {
            serde_json::json!({ "answer": sentence(view) }).to_string()
        }
        _ => sized(sentence(view), wishes.tokens),
    }
}

fn sentence(view: &View<'_, '_>) -> String {
    if view.results.is_empty() {
        let opening = view.seed.pick(&OPENINGS).copied().unwrap_or_default();
        let words: Vec<&str> = view.query.split_whitespace().take(12).collect();
        return format!(
            "{opening} You asked: \"{}\". This answer comes from a simulated model.",
            words.join(" ")
        );
    }
    let quoted: Vec<String> = view
        .results
        .iter()
        .map(|(name, result)| {
            let result: String = result.chars().take(QUOTED).collect();
            format!("{name} returned {result}")
        })
        .collect();
    format!("Here is what I found: {}.", quoted.join("; "))
}

/// Exactly `tokens` tokens of four characters, if a length is asked for.
fn sized(text: String, tokens: Option<u64>) -> String {
    let Some(tokens) = tokens else { return text };
    let wanted = usize::try_from(tokens)
        .unwrap_or(usize::MAX)
        .min(MAX_TOKENS)
        * 4;
    text.chars()
        .chain(FILLER.chars().cycle())
        .take(wanted)
        .collect()
}

/// Longest answer that a directive can ask for.
const MAX_TOKENS: usize = 16 * 1024 * 1024;
