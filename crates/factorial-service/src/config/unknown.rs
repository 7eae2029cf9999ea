//! Finds keys of the file that no binary knows.
//!
//! One file serves all roles, so a key is judged against the settings of all of them, not only of the one that starts.

use super::error::{ConfigProblem, Origin};
use super::file::{ConfigFile, Content, Entry};
use super::group::{ConfigGroup, GroupSpec, section_path};
use super::roles::{ClientRole, DevRole};

/// How alike two keys must be (Jaro–Winkler, 0 to 1) to ask whether the other was meant.
const ALIKE: f64 = 0.8;

/// Every unknown key, and every section that is not a mapping.
pub(crate) fn unknown_keys(file: &ConfigFile) -> Vec<ConfigProblem> {
    let mut specs = Vec::new();
    DevRole::specs(&mut specs);
    ClientRole::specs(&mut specs);
    let mut walk = Walk {
        file,
        specs,
        problems: Vec::new(),
    };
    match &file.root.content {
        Content::Map(entries) => walk.entries(entries, &[]),
        Content::Null => {}
        Content::Scalar(_) | Content::List(_) => {
            walk.report(
                file.root.line,
                &[],
                "is not a mapping of settings".to_owned(),
            );
        }
    }
    walk.problems
}

struct Walk<'a> {
    file: &'a ConfigFile,
    specs: Vec<GroupSpec>,
    problems: Vec<ConfigProblem>,
}

impl Walk<'_> {
    fn entries(&mut self, entries: &[Entry], section: &[&str]) {
        let known = self.keys_of(section);
        for entry in entries {
            let path: Vec<&str> = section
                .iter()
                .copied()
                .chain([entry.key.as_str()])
                .collect();
            let is_section = self.specs.iter().any(|spec| leads_to(&path, spec.section));
            match &entry.value.content {
                _ if known.contains(&entry.key.as_str()) && !is_section => {}
                Content::Map(inner) if is_section => self.entries(inner, &path),
                Content::Null if is_section => {}
                Content::Scalar(_) | Content::List(_) if is_section => {
                    self.report(entry.line, &path, "is not a mapping of settings".to_owned());
                }
                _ => {
                    let message = match nearest(&entry.key, &known) {
                        Some(other) => format!("unknown key; did you mean {other:?}?"),
                        None => "unknown key".to_owned(),
                    };
                    self.report(entry.line, &path, message);
                }
            }
        }
    }

    /// Names that may stand in a section: settings and sections.
    fn keys_of(&self, section: &[&str]) -> Vec<&'static str> {
        let mut keys = Vec::new();
        for spec in &self.specs {
            let path = section_path(spec.section);
            if matches(section, &path) {
                let root = path.is_empty();
                keys.extend(
                    spec.fields
                        .iter()
                        .map(|field| if root { field.name } else { field.key }),
                );
            } else if path.len() > section.len() && matches(section, &path[..section.len()]) {
                keys.extend(path.get(section.len()).filter(|part| **part != "*"));
            }
        }
        keys
    }

    fn report(&mut self, line: u64, path: &[&str], message: String) {
        self.problems.push(ConfigProblem {
            origin: Origin::Key {
                path: self.file.path.clone(),
                line,
                key: path.join("."),
            },
            message,
        });
    }
}

/// Whether `path` is a section, or on the way to one.
fn leads_to(path: &[&str], section: &'static str) -> bool {
    section_path(section)
        .get(..path.len())
        .is_some_and(|head| matches(path, head))
}

fn matches(path: &[&str], pattern: &[&str]) -> bool {
    path.len() == pattern.len()
        && path
            .iter()
            .zip(pattern)
            .all(|(part, expected)| *expected == "*" || part == expected)
}

fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|other| (strsim::jaro_winkler(key, other), *other))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
