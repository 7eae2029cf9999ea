//! Reads groups out of the layers and gathers every problem on the way.
//!
//! Called by the code that `config_group!` makes. Invariant: a reader that returned `None` for a setting has recorded why.

use std::collections::BTreeMap;

use super::error::{ConfigErrors, ConfigProblem, Origin};
use super::file::Content;
use super::group::{ConfigGroup, Field, RoleConfig, section_path};
use super::layers::{Given, Layers, Rank, split};
use super::slot::Slot;
use super::unknown::unknown_keys;

/// Longest part of a bad value that is repeated to the user, in characters.
const MAX_QUOTED: usize = 100;

/// State of one loading.
pub struct Reader<'a> {
    layers: &'a Layers,
    defaults: &'static [(&'static str, &'static str)],
    problems: Vec<ConfigProblem>,
    origins: BTreeMap<&'static str, (Rank, Origin)>,
    named: bool,
}

impl<'a> Reader<'a> {
    /// Reads a role, with the problems that were found before as the first ones.
    pub(crate) fn load<T: RoleConfig>(
        layers: &'a Layers,
        problems: Vec<ConfigProblem>,
    ) -> Result<T, ConfigErrors> {
        let mut reader = Self {
            layers,
            defaults: T::DEFAULTS,
            problems,
            origins: BTreeMap::new(),
            named: false,
        };
        if let Some(file) = &layers.file {
            reader.problems.extend(unknown_keys(file));
        }
        match T::read(&mut reader, &[]) {
            Some(role) if reader.problems.is_empty() => Ok(role),
            _ => Err(ConfigErrors::new(reader.problems)),
        }
    }

    pub(crate) fn field<T: Slot>(&mut self, section: &[&str], field: &'static Field) -> Option<T> {
        let given = match self.layers.find(section, field, self.named) {
            Ok(Some(given)) => given,
            Ok(None) => self.default_of(section, field),
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let rejection = match T::fill(&given.texts, field.range) {
            Ok(Some(value)) => {
                self.origins.insert(field.name, (given.rank, given.origin));
                return Some(value);
            }
            Ok(None) => "is required".to_owned(),
            Err(rejection) if T::SECRET => format!("the value {}", rejection.reason),
            Err(rejection) => format!("{} {}", quoted(&rejection.text), rejection.reason),
        };
        self.problems.push(ConfigProblem {
            origin: given.origin,
            message: rejection,
        });
        None
    }

    pub(crate) fn group<G: ConfigGroup>(&mut self) -> Option<G> {
        G::read(self, &section_path(G::SECTION))
    }

    /// Reads a mapping from names to groups; the section of `G` ends in `*`.
    pub(crate) fn map<G: ConfigGroup>(&mut self) -> Option<BTreeMap<String, G>> {
        let mut section = section_path(G::SECTION);
        section.pop();
        let layers = self.layers;
        let entries = layers.file.as_ref().and_then(|file| file.get(&section));
        let Some(Content::Map(entries)) = entries.map(|node| &node.content) else {
            return Some(BTreeMap::new());
        };
        // All are read before the first missing one ends it.
        self.named = true;
        let groups: Vec<Option<(String, G)>> = entries
            .iter()
            .map(|entry| {
                let path: Vec<&str> = section
                    .iter()
                    .copied()
                    .chain([entry.key.as_str()])
                    .collect();
                G::read(self, &path).map(|group| (entry.key.clone(), group))
            })
            .collect();
        self.named = false;
        groups.into_iter().collect()
    }

    /// Records that a rule over several settings is broken; `name` is the unique name of the one to mend.
    pub(crate) fn reject(&mut self, name: &'static str, message: impl Into<String>) {
        let origin = match self.origins.get(name) {
            Some((_, origin)) => origin.clone(),
            None => Origin::Setting(name.to_owned()),
        };
        self.problems.push(ConfigProblem {
            origin,
            message: message.into(),
        });
    }

    /// The layer that a setting came from.
    pub(crate) fn rank(&self, name: &str) -> Rank {
        self.origins
            .get(name)
            .map_or(Rank::Default, |(rank, _)| *rank)
    }

    fn default_of(&self, section: &[&str], field: &Field) -> Given {
        let of_role = self.defaults.iter().find(|(name, _)| *name == field.name);
        let text = of_role.map(|(_, text)| *text).or(field.default);
        let texts = match text {
            Some(text) if field.list => split(text).collect(),
            Some(text) => vec![text.to_owned()],
            None => Vec::new(),
        };
        let key = if section.is_empty() {
            field.name
        } else {
            field.key
        };
        let path: Vec<&str> = section.iter().copied().chain([key]).collect();
        Given {
            rank: Rank::Default,
            origin: Origin::Setting(path.join(".")),
            texts,
        }
    }
}

fn quoted(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTED {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(MAX_QUOTED).collect();
    format!("{head:?}…")
}
