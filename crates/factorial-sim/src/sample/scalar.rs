//! Numbers and strings within the bounds of a schema.
//!
//! Called by the sampler. Invariant: bounds win over the query, and lengths are capped.

use serde_json::{Map, Value};

use super::pattern;
use crate::seed::Seed;

/// Longest string made, whatever `minLength` wants.
const MAX_LENGTH: usize = 100_000;
/// Words of the query in a string.
const WORDS: usize = 8;

/// An integer: the hint if it fits, else one near the lower bound.
pub(super) fn integer(schema: &Map<String, Value>, hint: Option<f64>, seed: Seed) -> Value {
    let value = within(schema, hint.map(f64::trunc), 1.0, seed);
    Value::from(value as i64)
}

/// A number: the hint if it fits, else one near the lower bound.
pub(super) fn number(schema: &Map<String, Value>, hint: Option<f64>, seed: Seed) -> Value {
    let low = low(schema, 0.0);
    let high = high(schema, 0.0);
    // A step that fits between exclusive bounds.
    let step = match (low, high) {
        (Some(low), Some(high)) if high > low => ((high - low) / 2.0).min(1.0),
        _ => 1.0,
    };
    within(schema, hint, step, seed).into()
}

fn within(schema: &Map<String, Value>, hint: Option<f64>, step: f64, seed: Seed) -> f64 {
    let multiple = bound(schema, "multipleOf").filter(|m| *m > 0.0);
    let low = low(schema, step);
    let high = high(schema, step);
    let fits = |n: f64| {
        low.is_none_or(|low| n >= low)
            && high.is_none_or(|high| n <= high)
            && multiple.is_none_or(|m| n % m == 0.0)
    };
    let free = seed.below(100) as f64;
    let at_low = low.map(|low| match multiple {
        Some(m) => (low / m).ceil() * m,
        None => low,
    });
    let at_high = high.map(|high| match multiple {
        Some(m) => (high / m).floor() * m,
        None => high,
    });
    hint.into_iter()
        .chain([free, free * multiple.unwrap_or(1.0)])
        .find(|n| fits(*n))
        .or(at_low)
        .or(at_high)
        .unwrap_or(0.0)
}

fn low(schema: &Map<String, Value>, step: f64) -> Option<f64> {
    let exclusive = bound(schema, "exclusiveMinimum").map(|n| n + step);
    let inclusive = bound(schema, "minimum");
    inclusive.into_iter().chain(exclusive).reduce(f64::max)
}

fn high(schema: &Map<String, Value>, step: f64) -> Option<f64> {
    let exclusive = bound(schema, "exclusiveMaximum").map(|n| n - step);
    let inclusive = bound(schema, "maximum");
    inclusive.into_iter().chain(exclusive).reduce(f64::min)
}

fn bound(schema: &Map<String, Value>, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64)
}

/// A string: what pattern or format want, else the first words of the query, cut and padded to the length asked for.
pub(super) fn string(schema: &Map<String, Value>, query: &str) -> String {
    let length = |name: &str| {
        let length = schema.get(name).and_then(Value::as_u64)?;
        Some(
            usize::try_from(length)
                .unwrap_or(MAX_LENGTH)
                .min(MAX_LENGTH),
        )
    };
    let least = length("minLength").unwrap_or(0);
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && let Some(matching) = pattern::matching(pattern, least)
    {
        return matching;
    }
    if let Some(example) = schema
        .get("format")
        .and_then(Value::as_str)
        .and_then(format)
    {
        return example.to_owned();
    }
    let words: Vec<&str> = query.split_whitespace().take(WORDS).collect();
    let text = if words.is_empty() {
        "something".to_owned()
    } else {
        words.join(" ")
    };
    let most = length("maxLength").unwrap_or(MAX_LENGTH);
    let missing = least.saturating_sub(text.chars().count());
    text.chars()
        .chain(std::iter::repeat_n('x', missing))
        .take(most)
        .collect()
}

fn format(name: &str) -> Option<&'static str> {
    Some(match name {
        "date" => "2026-01-31",
        "date-time" => "2026-01-31T12:00:00Z",
        "time" => "12:00:00Z",
        "duration" => "PT1H",
        "email" | "idn-email" => "someone@example.com",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "iri" | "url" | "uri-reference" => "https://example.com/",
        "uuid" => "6f2d1c9e-6c1b-4b57-9a3e-0d8f4f5b7a10",
        "regex" => ".*",
        "json-pointer" => "/a",
        _ => return None,
    })
}
