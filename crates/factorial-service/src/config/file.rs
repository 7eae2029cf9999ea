//! `factorial.yaml` as a tree of text with line numbers.
//!
//! Scalars stay as they are written (a password of `0123` is not a number), so that a value means the same in the file
//! and in a variable. Invariant: nothing here knows which keys exist.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned, budget::BudgetBreach};

use super::error::{ConfigProblem, Origin};

/// Nobody's configuration is larger; a wrong path may be.
const MAX_BYTES: u64 = 1 << 20;

/// Settings nest four levels; the parser takes 32 KiB of stack for each.
const MOST_LEVELS: usize = 16;

/// A parsed file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) root: Node,
}

/// A value and its one-based line.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One pair of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u64,
    pub(crate) value: Node,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigProblem> {
        let problem = |line, message| ConfigProblem {
            origin: Origin::Key {
                path: path.to_owned(),
                line,
                key: String::new(),
            },
            message,
        };
        let size = std::fs::metadata(path)
            .map_err(|error| problem(0, format!("cannot be read: {error}")))?
            .len();
        if size > MAX_BYTES {
            return Err(problem(0, format!("is larger than {MAX_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| problem(0, format!("cannot be read: {error}")))?;
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: MOST_LEVELS },
        };
        let tree: Spanned<Tree> =
            serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
                let line = error.location().map_or(0, |location| location.line());
                // The rendered form quotes the lines around, and secrets may stand there.
                problem(line, summary(error.without_snippet()))
            })?;
        Ok(Self {
            path: path.to_owned(),
            root: node(tree, &text),
        })
    }

    /// The node at `path`, if every step to it is there.
    pub(crate) fn get(&self, path: &[&str]) -> Option<&Node> {
        path.iter()
            .try_fold(&self.root, |node, part| node.child(part))
    }
}

impl Node {
    fn child(&self, key: &str) -> Option<&Self> {
        let Content::Map(entries) = &self.content else {
            return None;
        };
        entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }
}

fn summary(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::Budget {
        breach: BudgetBreach::Depth { .. },
        ..
    } = error
    {
        return format!("is nested deeper than {MOST_LEVELS} levels");
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    format!("is not valid YAML: {first}")
}

/// What the parser reports; literals carry a rendering in case that their source text is out of reach.
enum Tree {
    Null,
    Text(String),
    Literal(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

fn node(tree: Spanned<Tree>, source: &str) -> Node {
    let line = tree.referenced.line();
    let content = match tree.value {
        Tree::Null => Content::Null,
        Tree::Text(text) => Content::Scalar(text),
        Tree::Literal(text) => Content::Scalar(as_written(source, tree.defined).unwrap_or(text)),
        Tree::List(items) => {
            Content::List(items.into_iter().map(|item| node(item, source)).collect())
        }
        Tree::Map(pairs) => Content::Map(
            pairs
                .into_iter()
                .map(|(key, value)| Entry {
                    line: key.referenced.line(),
                    key: key.value,
                    value: node(value, source),
                })
                .collect(),
        ),
    };
    Node { line, content }
}

fn as_written(source: &str, location: Location) -> Option<String> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    let text = source.get(start..start.checked_add(length)?)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Literal(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(pair) = pairs.next_entry()? {
            map.push(pair);
        }
        Ok(Tree::Map(map))
    }
}
