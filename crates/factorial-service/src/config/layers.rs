//! The layers that a value can come from, in their order: flag, environment variable, file.
//!
//! Asked by the reader, setting by setting. Invariant: the first layer that has a value wins whole; lists are not merged.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::environment::Environment;
use super::error::{ConfigProblem, Origin};
use super::file::{ConfigFile, Content, Node};
use super::group::Field;

/// Rank of a layer; a lower one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Flag,
    Variable,
    File,
    Default,
}

/// The text of one setting.
pub(crate) struct Given {
    pub(crate) rank: Rank,
    pub(crate) origin: Origin,
    pub(crate) texts: Vec<String>,
}

/// Everything that was given.
#[derive(Default)]
pub(crate) struct Layers {
    pub(crate) flags: BTreeMap<&'static str, Vec<OsString>>,
    pub(crate) environment: Environment,
    pub(crate) file: Option<ConfigFile>,
}

impl Layers {
    /// The winning text of a setting of `section`, as it stands there.
    ///
    /// Keys that have a name in them (`named`) exist in the file only.
    pub(crate) fn find(
        &self,
        section: &[&str],
        field: &Field,
        named: bool,
    ) -> Result<Option<Given>, ConfigProblem> {
        if !named {
            if let Some(values) = self.flags.get(field.name) {
                return given(Rank::Flag, Origin::Flag(field.flag()), values, field).map(Some);
            }
            let name = field.variable();
            if let Some(value) = self.environment.variable(&name) {
                let origin = Origin::Variable(name);
                return given(Rank::Variable, origin, std::slice::from_ref(value), field).map(Some);
            }
        }
        self.find_in_file(section, field)
    }

    fn find_in_file(
        &self,
        section: &[&str],
        field: &Field,
    ) -> Result<Option<Given>, ConfigProblem> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let key = if section.is_empty() {
            field.name
        } else {
            field.key
        };
        let path: Vec<&str> = section.iter().copied().chain([key]).collect();
        let Some(node) = file.get(&path) else {
            return Ok(None);
        };
        let origin = Origin::Key {
            path: file.path.clone(),
            line: node.line,
            key: path.join("."),
        };
        match scalars(node, field.list) {
            Some(texts) if texts.is_empty() && !matches!(node.content, Content::List(_)) => {
                Ok(None)
            }
            Some(texts) => Ok(Some(Given {
                rank: Rank::File,
                origin,
                texts,
            })),
            None => Err(ConfigProblem {
                origin,
                message: if field.list {
                    "is not a list of values".to_owned()
                } else {
                    "is not a single value".to_owned()
                },
            }),
        }
    }
}

fn given(
    rank: Rank,
    origin: Origin,
    values: &[OsString],
    field: &Field,
) -> Result<Given, ConfigProblem> {
    let mut texts = Vec::new();
    for value in values {
        let Some(text) = value.to_str() else {
            return Err(ConfigProblem {
                origin,
                message: "is not valid UTF-8".to_owned(),
            });
        };
        if field.list {
            texts.extend(split(text));
        } else {
            texts.push(text.trim().to_owned());
        }
    }
    Ok(Given {
        rank,
        origin,
        texts,
    })
}

/// Parts of a comma-separated list, without the empty ones.
pub(crate) fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}

/// The scalars of a node: none for null, one, or for a list all of them; `None` for any other shape.
fn scalars(node: &Node, list: bool) -> Option<Vec<String>> {
    match &node.content {
        Content::Null => Some(Vec::new()),
        Content::Scalar(text) => Some(vec![text.clone()]),
        Content::List(items) if list => items
            .iter()
            .map(|item| match &item.content {
                Content::Scalar(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        Content::List(_) | Content::Map(_) => None,
    }
}
