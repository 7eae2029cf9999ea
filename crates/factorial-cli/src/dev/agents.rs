//! Which agents `factorial dev` serves.
//!
//! Invariant: files of the user are never changed; where agents need another model, copies in the data directory have it.

use std::fs;
use std::path::{Path, PathBuf};

use factorial_agent::{AgentDefinition, LoadErrors, ModelSpec, Provider, load};
use factorial_service::config::ProviderKeys;

use super::error::DevError;
use super::place::{Place, failed};

/// Served where there are no agent files, so that an empty directory is enough for a start.
const BUILT_IN: &str = include_str!("../../../../examples/agents/assistant.yaml");
/// Where agent files usually are.
const USUAL: [&str; 2] = ["agents", "examples/agents"];

/// Agents to serve.
#[derive(Debug)]
pub(crate) struct Agents {
    /// Files for the worker.
    pub(crate) paths: Vec<PathBuf>,
    /// What is in them.
    pub(crate) definitions: Vec<AgentDefinition>,
    /// Where they come from, for people.
    pub(crate) origin: String,
}

impl Agents {
    /// Those of `given`, else of the usual directories below `current`, else the built-in one.
    ///
    /// `instead`: the model for all agents that name a provider's own.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub(crate) fn find(
        given: &[PathBuf],
        current: &Path,
        place: &Place,
        keys: &ProviderKeys,
        instead: Option<&ModelSpec>,
    ) -> Result<Self, DevError> {
        let usual = USUAL
            .iter()
            .map(|dir| current.join(dir))
            .find(|dir| has_agents(dir));
        let (mut paths, origin) = match (given, usual) {
            ([], Some(dir)) => {
                let shown = dir
                    .strip_prefix(current)
                    .unwrap_or(&dir)
                    .display()
                    .to_string();
                (vec![dir], shown)
            }
            ([], None) => (vec![built_in(place)?], "built in".to_owned()),
            (given, _) => {
                let names: Vec<String> = given
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                (given.to_vec(), names.join(", "))
            }
        };
        let refused = |problems: LoadErrors| DevError::Agents {
            problems: problems.to_string(),
            origin: origin.clone(),
        };
        let mut definitions = load(&paths).map_err(refused)?;
        let for_built_in = (origin == "built in")
            .then(|| built_in_model(keys))
            .flatten();
        if let Some(model) = instead.or(for_built_in.as_ref()) {
            paths = rewritten(&mut definitions, model, place)?;
        }
        Ok(Self {
            paths,
            definitions,
            origin,
        })
    }
}

fn has_agents(dir: &Path) -> bool {
    let is_agent = |path: PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    fs::read_dir(dir).is_ok_and(|entries| entries.flatten().any(|entry| is_agent(entry.path())))
}

fn built_in(place: &Place) -> Result<PathBuf, DevError> {
    let path = place.fresh("agents")?.join("assistant.yaml");
    fs::write(&path, BUILT_IN).map_err(failed("write", &path))?;
    Ok(path)
}

/// A model of the provider whose key there is; the file's own is OpenAI's.
fn built_in_model(keys: &ProviderKeys) -> Option<ModelSpec> {
    if keys.openai_api_key.is_some() || keys.openai_base_url.is_some() {
        return None;
    }
    let models = [
        (keys.xai_api_key.is_some(), Provider::Xai, "grok-3-mini"),
        (
            keys.anthropic_api_key.is_some(),
            Provider::Anthropic,
            "claude-haiku-4-5",
        ),
        (
            keys.gemini_api_key.is_some(),
            Provider::Gemini,
            "gemini-2.5-flash",
        ),
        (
            keys.fireworks_api_key.is_some(),
            Provider::Fireworks,
            "accounts/fireworks/models/llama-v3p3-70b-instruct",
        ),
    ];
    let (_, provider, name) = models.into_iter().find(|(is, ..)| *is)?;
    Some(ModelSpec::new(provider, name))
}

/// Gives the agents another model, and writes them to files that the worker can load.
fn rewritten(
    definitions: &mut [AgentDefinition],
    model: &ModelSpec,
    place: &Place,
) -> Result<Vec<PathBuf>, DevError> {
    let dir = place.fresh("agents")?;
    let mut paths = Vec::new();
    for definition in definitions {
        let own = &definition.model;
        // One that names its own address or key knows where it goes.
        if own.base_url.is_none() && own.api_key_env.is_none() {
            definition.model = model.clone();
        }
        let path = dir.join(format!("{}.yaml", definition.name.as_str()));
        // JSON is YAML.
        let json = serde_json::to_vec_pretty(definition).map_err(std::io::Error::other);
        json.and_then(|json| fs::write(&path, json))
            .map_err(failed("write", &path))?;
        paths.push(path);
    }
    Ok(paths)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use factorial_service::config::{DevRole, defaults};

    use super::*;

    struct Case {
        dir: tempfile::TempDir,
        place: Place,
        keys: ProviderKeys,
    }

    fn case() -> Case {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::take(&dir.path().join(".factorial")).unwrap();
        let keys = defaults::<DevRole>().unwrap().keys;
        Case { dir, place, keys }
    }

    impl Case {
        fn find(&self, given: &[PathBuf], instead: Option<&ModelSpec>) -> Result<Agents, DevError> {
            Agents::find(given, self.dir.path(), &self.place, &self.keys, instead)
        }
    }

    #[test]
    fn an_empty_directory_has_an_assistant() {
        let mut case = case();
        let agents = case.find(&[], None).unwrap();
        assert_eq!(agents.origin, "built in");
        assert_eq!(agents.definitions[0].name.as_str(), "assistant");
        case.keys.xai_api_key = Some("key".into());
        let agents = case.find(&[], None).unwrap();
        assert_eq!(agents.definitions[0].model.provider, Provider::Xai);
        assert_eq!(load(&agents.paths).unwrap(), agents.definitions);
    }

    #[test]
    fn usual_directories_are_found_and_left_alone() {
        let case = case();
        let dir = case.dir.path().join("examples/agents");
        fs::create_dir_all(&dir).unwrap();
        fs::create_dir(case.dir.path().join("agents")).unwrap();
        let file = dir.join("a.yaml");
        fs::write(&file, BUILT_IN).unwrap();
        let local = ModelSpec::new(Provider::Openai, "local:1b");
        let agents = case.find(&[], Some(&local)).unwrap();
        assert_eq!(agents.origin, "examples/agents");
        assert_eq!(agents.definitions[0].model.name, "local:1b");
        assert_eq!(fs::read_to_string(&file).unwrap(), BUILT_IN);
        assert_eq!(load(&agents.paths).unwrap(), agents.definitions);
    }

    #[test]
    fn wrong_files_are_refused_by_name() {
        let case = case();
        let file = case.dir.path().join("b.yaml");
        fs::write(&file, "name: b\nmodle: x\n").unwrap();
        let refusal = case.find(&[file], None).unwrap_err().to_string();
        assert!(refusal.contains("b.yaml:2"), "{refusal}");
        assert!(refusal.contains("--agents"), "{refusal}");
    }
}
