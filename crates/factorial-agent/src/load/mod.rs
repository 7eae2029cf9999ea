//! Agent files.
//!
//! Called by a worker at its start, which refuses to go on with any problem.
//! Invariant: all problems of all files are told at once, each with its file and, where there is one, line and column.

mod checks;
mod problem;
mod schema;
mod yaml;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use self::problem::{LoadErrors, Problem};
use self::yaml::Document;
use crate::{AgentDefinition, Resources};

/// Largest agent file in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads agent files, and the `*.yaml` and `*.yml` files of directories, in the order given and sorted by name.
///
/// # Errors
/// Every problem that can be told without knowing the process.
pub fn load(paths: &[PathBuf]) -> Result<Vec<AgentDefinition>, LoadErrors> {
    load_with(paths, None)
}

/// As [`load`], and checks that the functions, keys and headers that the agents name are there.
///
/// # Errors
/// Every problem found.
pub fn load_checked(
    paths: &[PathBuf],
    resources: &Resources,
) -> Result<Vec<AgentDefinition>, LoadErrors> {
    load_with(paths, Some(resources))
}

fn load_with(
    paths: &[PathBuf],
    resources: Option<&Resources>,
) -> Result<Vec<AgentDefinition>, LoadErrors> {
    let mut problems = Vec::new();
    let mut documents = Vec::new();
    for path in files(paths, &mut problems) {
        match parse(&path) {
            Ok(document) => documents.push((path, document)),
            Err(problem) => problems.push(problem),
        }
    }
    let mut definitions = Vec::with_capacity(documents.len());
    for (path, document) in &documents {
        definitions.extend(read(path, document, resources, &mut problems));
    }
    checks::names(&documents, &mut problems);
    if problems.is_empty() {
        Ok(definitions)
    } else {
        Err(LoadErrors(problems))
    }
}

fn parse(path: &Path) -> Result<Document, Problem> {
    let text = text(path).map_err(|why| Problem::of_file(path, why))?;
    Document::parse(&text).map_err(|(place, message)| Problem {
        file: path.to_owned(),
        place,
        message,
    })
}

/// The agent of one file, unless its form is wrong.
fn read(
    path: &Path,
    document: &Document,
    resources: Option<&Resources>,
    problems: &mut Vec<Problem>,
) -> Option<AgentDefinition> {
    let before = problems.len();
    schema::check(path, document, problems);
    if problems.len() > before {
        return None;
    }
    let definition: AgentDefinition = match serde_json::from_value(document.value.clone()) {
        Ok(definition) => definition,
        Err(why) => {
            problems.push(Problem::of_file(path, why.to_string()));
            return None;
        }
    };
    checks::definition(path, &definition, document, resources, problems);
    Some(definition)
}

fn text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("larger than {MAX_FILE_BYTES} bytes"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 after byte {}", error.utf8_error().valid_up_to()))
}

/// The files behind `paths`, each once.
fn files(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(Problem::of_file(path, error.to_string()));
                continue;
            }
        };
        let is_yaml = |path: &PathBuf| {
            path.extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml")
        };
        let mut found: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| is_yaml(path) && path.is_file())
            .collect();
        found.sort();
        files.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    files
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_agent_files() {
        let seeds = [
            include_str!("../../../../examples/agents/assistant.yaml"),
            include_str!("../../../../examples/agents/planner.yaml"),
            include_str!("../../../../examples/agents/weather.yaml"),
            "a: &x [1, 2]\nb: *x\n<<: {c: 3}\n",
        ];
        let path = Path::new("a.yaml");
        factorial_fuzz::texts(&seeds, |text| {
            let mut problems = Vec::new();
            if let Ok(document) = Document::parse(text)
                && read(path, &document, None, &mut problems).is_none()
            {
                assert!(!problems.is_empty());
            }
            assert!(problems.iter().all(|problem| !problem.message.is_empty()));
        });
    }
}
