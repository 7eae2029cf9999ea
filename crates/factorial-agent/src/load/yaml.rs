//! YAML as JSON, with the place of every value.
//!
//! Invariant: a value and its place come from one parse, so that a problem is told where it stands.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned, budget::BudgetBreach};

/// A line and a column, both counted from 1.
pub(super) type Place = (u64, u64);

/// Most levels of lists and mappings: the parser takes 32 KiB of stack for each.
const MOST_LEVELS: usize = 32;

/// One document.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) value: Value,
    /// Where values stand, by JSON pointer.
    values: HashMap<String, Place>,
    /// Where keys stand, by JSON pointer of their value.
    keys: HashMap<String, Place>,
}

impl Document {
    /// Reads one document.
    ///
    /// # Errors
    /// Where the text is not YAML, and why.
    pub(super) fn parse(text: &str) -> Result<Self, (Option<Place>, String)> {
        let options = serde_saphyr::options! {
            with_snippet: false,
            budget: serde_saphyr::budget! { max_depth: MOST_LEVELS },
        };
        let root: Spanned<Node> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| {
                let place = error.location().map(|location| place(&location));
                (place, told(error.without_snippet()))
            })?;
        let mut document = Self::default();
        document.value = document.take(root, &mut String::new());
        Ok(document)
    }

    /// Where the value at `pointer` stands, or the closest one around it.
    pub(super) fn place(&self, pointer: &str) -> Option<Place> {
        around(pointer).find_map(|pointer| self.values.get(pointer).copied())
    }

    /// Where the key of the value at `pointer` stands.
    pub(super) fn key_place(&self, pointer: &str) -> Option<Place> {
        self.keys
            .get(pointer)
            .copied()
            .or_else(|| self.place(pointer))
    }

    fn take(&mut self, node: Spanned<Node>, pointer: &mut String) -> Value {
        self.values.insert(pointer.clone(), place(&node.referenced));
        let length = pointer.len();
        match node.value {
            Node::Scalar(value) => value,
            Node::Seq(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    values.push(self.take(item, pointer));
                    pointer.truncate(length);
                }
                Value::Array(values)
            }
            Node::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, value) in entries {
                    pointer.push('/');
                    pointer.push_str(&escape(&key.value));
                    self.keys.insert(pointer.clone(), place(&key.referenced));
                    let value = self.take(value, pointer);
                    map.insert(key.value, value);
                    pointer.truncate(length);
                }
                Value::Object(map)
            }
        }
    }
}

fn told(error: &serde_saphyr::Error) -> String {
    match error {
        serde_saphyr::Error::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => format!("nested deeper than {MOST_LEVELS} levels"),
        other => other.to_string(),
    }
}

fn place(location: &Location) -> Place {
    (location.line(), location.column())
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A pointer, then those of the values around it.
fn around(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| {
        pointer.rfind('/').map(|end| &pointer[..end])
    })
}

enum Node {
    Scalar(Value),
    Seq(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        // JSON has no infinities; as text they fail the type check with a place.
        Ok(Node::Scalar(Number::from_f64(value).map_or_else(
            || Value::String(value.to_string()),
            Value::Number,
        )))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        let fine = format!("{}1", "- ".repeat(MOST_LEVELS));
        assert!(Document::parse(&fine).is_ok());
        for (level, end) in [("- ", "1"), ("- a: ", "1"), ("[", "")] {
            let deep = format!("{}{end}", level.repeat(10_000));
            assert!(Document::parse(&deep).is_err(), "{level}");
        }
        let (_, told) = Document::parse(&format!("- {fine}")).unwrap_err();
        assert_eq!(told, "nested deeper than 32 levels");
    }

    #[test]
    fn values_have_places() {
        let text =
            "a: 1\nb:\n  - x: true\n    y: [1.5, null, 'q']\n  - \"z\"\nlong: |\n  one\n  two\n";
        let document = Document::parse(text).unwrap();
        assert_eq!(
            document.value,
            json!({"a": 1, "b": [{"x": true, "y": [1.5, null, "q"]}, "z"], "long": "one\ntwo\n"})
        );
        assert_eq!(document.place("/a"), Some((1, 4)));
        assert_eq!(document.place("/b/0/x"), Some((3, 8)));
        assert_eq!(document.key_place("/b/0/x"), Some((3, 5)));
        assert_eq!(document.place("/b/0/y/2"), Some((4, 20)));
        assert_eq!(document.place("/b/1/nowhere"), Some((5, 5)));
    }

    #[test]
    fn bad_yaml_has_a_place() {
        let (place, why) = Document::parse("a: 1\nb: [1,\n").unwrap_err();
        assert!(place.is_some(), "{why}");
        assert!(Document::parse("a: 1\na: 2\n").is_err());
        assert!(Document::parse("a: 1\n---\na: 2\n").is_err());
    }
}
