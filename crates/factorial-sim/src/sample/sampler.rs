//! Walks a JSON Schema and builds a value that it accepts.
//!
//! Used for tool arguments and structured answers. Covers what agents write: types, `enum`, `const`, `$ref` into the same
//! document, `anyOf`, `oneOf`, `allOf`, bounds, formats and simple patterns. Invariant: bounded depth and size, so that
//! no schema makes it run for long; a schema beyond these words may get a value that it refuses.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::scalar::{integer, number, string};
use crate::seed::Seed;

const MAX_DEPTH: usize = 24;
const MAX_ITEMS: u64 = 1_000;
/// Values in one sample; a schema can double itself at each level of depth.
const MAX_VALUES: usize = 10_000;

/// Builds one value for one schema.
pub(crate) struct Sampler<'s> {
    root: &'s Value,
    query: &'s str,
    /// Numbers of the query, last first, each used once.
    pub(super) numbers: Vec<f64>,
    seed: Seed,
    values: usize,
}

impl<'s> Sampler<'s> {
    pub(crate) fn new(schema: &'s Value, query: &'s str, seed: Seed) -> Self {
        let mut numbers: Vec<f64> = query
            .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
            .map(|word| word.trim_end_matches('.'))
            .filter_map(|word| word.parse().ok())
            .collect();
        numbers.reverse();
        Self {
            root: schema,
            query,
            numbers,
            seed,
            values: 0,
        }
    }

    pub(crate) fn sample(mut self) -> Value {
        self.value(self.root, 0)
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.values += 1;
        self.seed = self.seed.word(depth as u64);
        if depth > MAX_DEPTH || self.values > MAX_VALUES {
            return Value::Null;
        }
        let Some(schema) = schema.as_object() else {
            return string(&Map::new(), self.query).into();
        };
        let schema = self.resolved(schema, depth);
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choice(choices);
        }
        match kind(&schema) {
            "object" => self.object(&schema, depth),
            "array" => self.array(&schema, depth),
            "integer" => integer(&schema, self.numbers.pop(), self.seed),
            "number" => number(&schema, self.numbers.pop(), self.seed),
            "boolean" => (self.seed.below(2) == 0).into(),
            "null" => Value::Null,
            _ => string(&schema, self.query).into(),
        }
    }

    /// The schema with its reference followed and its combinations merged in.
    fn resolved<'m>(
        &mut self,
        schema: &'m Map<String, Value>,
        depth: usize,
    ) -> Cow<'m, Map<String, Value>> {
        let parts = ["$ref", "allOf", "anyOf", "oneOf"];
        self.values += 1;
        let full = depth > MAX_DEPTH || self.values > MAX_VALUES;
        if full || !parts.iter().any(|part| schema.contains_key(*part)) {
            return Cow::Borrowed(schema);
        }
        let mut merged = schema.clone();
        for part in parts {
            merged.remove(part);
        }
        let root = self.root;
        let referred = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| root.pointer(path.strip_prefix('#')?));
        let all = schema.get("allOf").and_then(Value::as_array);
        let one = ["anyOf", "oneOf"].into_iter().filter_map(|name| {
            let options = schema.get(name)?.as_array()?;
            options
                .iter()
                .find(|option| option.get("type").and_then(Value::as_str) != Some("null"))
                .or(options.first())
        });
        for part in referred
            .into_iter()
            .chain(all.into_iter().flatten())
            .chain(one)
        {
            if let Some(part) = part.as_object() {
                merge(&mut merged, self.resolved(part, depth + 1).into_owned());
            }
        }
        Cow::Owned(merged)
    }

    /// The choice that the query mentions, else any.
    fn choice(&self, choices: &[Value]) -> Value {
        choices
            .iter()
            .find(|choice| {
                choice
                    .as_str()
                    .is_some_and(|word| !word.is_empty() && self.query.contains(word))
            })
            .or_else(|| self.seed.pick(choices))
            .cloned()
            .unwrap_or(Value::Null)
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Value {
        let none = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let mut wanted: Vec<&str> = strings(schema.get("required")).collect();
        let least = bound(schema, "minProperties");
        for name in properties.keys() {
            if wanted.len() as u64 >= least {
                break;
            }
            if !wanted.contains(&name.as_str()) {
                wanted.push(name);
            }
        }
        let other = schema.get("additionalProperties").unwrap_or(&Value::Null);
        let mut object = Map::new();
        for name in wanted {
            let value = self.value(properties.get(name).unwrap_or(other), depth + 1);
            object.insert(name.to_owned(), value);
        }
        for extra in (object.len() as u64)..least {
            let value = self.value(other, depth + 1);
            object.insert(format!("key_{extra}"), value);
        }
        object.into()
    }

    fn array(&mut self, schema: &Map<String, Value>, depth: usize) -> Value {
        let fixed = schema
            .get("prefixItems")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let most = schema
            .get("maxItems")
            .and_then(Value::as_u64)
            .unwrap_or(MAX_ITEMS);
        let wanted = bound(schema, "minItems")
            .max(fixed.len() as u64)
            .max(1)
            .min(most);
        let items = schema.get("items").unwrap_or(&Value::Null);
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut array: Vec<Value> = Vec::new();
        for index in 0..usize::try_from(wanted).unwrap_or(0) {
            let mut value = self.value(fixed.get(index).unwrap_or(items), depth + 1);
            if unique && array.contains(&value) {
                value = self.other_than(&array, items, value);
            }
            array.push(value);
        }
        array.into()
    }

    /// A value that is not there yet: another choice of an enum, a larger number, a longer text.
    fn other_than(&self, taken: &[Value], schema: &Value, value: Value) -> Value {
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            let free = choices.iter().find(|choice| !taken.contains(choice));
            return free.cloned().unwrap_or(value);
        }
        (1..=taken.len() as u64 + 1)
            .map(|step| match &value {
                Value::Number(n) if n.is_i64() => (n.as_i64().unwrap_or(0) + step as i64).into(),
                Value::Number(n) => (n.as_f64().unwrap_or(0.0) + step as f64).into(),
                Value::String(text) => format!("{text} {step}").into(),
                other => other.clone(),
            })
            .find(|candidate| !taken.contains(candidate))
            .unwrap_or_else(|| value.clone())
    }
}

/// The type to build: the first that is not null, or what the other keywords imply.
fn kind(schema: &Map<String, Value>) -> &str {
    let implied = || {
        if schema.contains_key("properties") || schema.contains_key("required") {
            "object"
        } else if schema.contains_key("items") || schema.contains_key("prefixItems") {
            "array"
        } else if schema.contains_key("minimum") || schema.contains_key("maximum") {
            "number"
        } else {
            "string"
        }
    };
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(kinds @ Value::Array(_)) => strings(Some(kinds))
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        _ => implied(),
    }
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// A lower bound of a count, itself bounded.
fn bound(schema: &Map<String, Value>, name: &str) -> u64 {
    schema
        .get(name)
        .and_then(Value::as_u64)
        .unwrap_or(0)
        .min(MAX_ITEMS)
}

/// Adds the keywords of `part`; properties and required names are joined.
fn merge(into: &mut Map<String, Value>, part: Map<String, Value>) {
    for (keyword, value) in part {
        match (into.get_mut(&keyword), value) {
            (Some(Value::Object(old)), Value::Object(new)) if keyword == "properties" => {
                old.extend(new);
            }
            (Some(Value::Array(old)), Value::Array(new)) if keyword == "required" => {
                let added: Vec<Value> =
                    new.into_iter().filter(|name| !old.contains(name)).collect();
                old.extend(added);
            }
            (Some(_), _) => {}
            (None, value) => {
                into.insert(keyword, value);
            }
        }
    }
}
