//! The agent that asks a language model, turn by turn.
//!
//! Built by the worker from a definition; see [`crate::Agent`] for how it is run.

mod answers;
mod arrange;
mod books;
mod calls;
mod children;
mod drive;
mod ids;
mod judge;
mod plan;
mod toolbox;
mod tools;
mod waits;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Agent, AgentDefinition, FunctionRegistry, HttpClients, Model, ModelChain, OutputSchema,
    Providers, Run, RunEnd, ToolSet, model::RemoteModel,
};

/// What a process has for its agents to share.
#[derive(Debug, Clone)]
pub struct Resources {
    /// For models and HTTP tools.
    pub http: HttpClients,
    /// The functions that agent files may name.
    pub functions: FunctionRegistry,
    /// Addresses and keys.
    pub providers: Providers,
}

/// An agent that cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agent {agent}: {}", problems.join("; "))]
pub struct BuildError {
    /// The agent's name.
    pub agent: String,
    /// All that is missing or wrong.
    pub problems: Vec<String>,
}

/// A language model with tools.
pub struct LlmAgent {
    definition: AgentDefinition,
    /// Approvals are bound to it.
    version: String,
    model: Box<dyn Model>,
    tools: ToolSet,
    output: Option<OutputSchema>,
}

impl fmt::Debug for LlmAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmAgent")
            .field("definition", &self.definition)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

impl LlmAgent {
    /// Resolves the models and tools that `definition` names.
    ///
    /// # Errors
    /// [`BuildError`] with every unknown function, missing key and bad schema.
    pub fn build(definition: AgentDefinition, resources: &Resources) -> Result<Self, BuildError> {
        let mut problems = Vec::new();
        let mut models: Vec<Box<dyn Model>> = Vec::new();
        for target in definition.model.targets() {
            match RemoteModel::new(&target, &resources.providers, &resources.http) {
                Ok(model) => models.push(Box::new(model)),
                Err(problem) => problems.push(problem),
            }
        }
        let mut tools = ToolSet::default();
        for tool in &definition.tools {
            if let Err(problem) = tools.define(tool, resources) {
                problems.push(problem);
            }
        }
        let agent = definition.name.to_string();
        if problems.is_empty() {
            let model: Box<dyn Model> = match <[_; 1]>::try_from(models) {
                Ok([only]) => only,
                Err(models) => Box::new(ModelChain::new(models)),
            };
            Self::new(definition, model, tools)
        } else {
            Err(BuildError { agent, problems })
        }
    }

    /// An agent of parts of one's own. The tools and models that `definition` names are not looked at.
    ///
    /// # Errors
    /// [`BuildError`] if the output schema is not one.
    pub fn new(
        definition: AgentDefinition,
        model: Box<dyn Model>,
        tools: ToolSet,
    ) -> Result<Self, BuildError> {
        let output = OutputSchema::of(&definition.output).map_err(|problem| BuildError {
            agent: definition.name.to_string(),
            problems: vec![format!("output.schema: {problem}")],
        })?;
        Ok(Self {
            version: definition.version(),
            definition,
            model,
            tools,
            output,
        })
    }
}

/// The message for a function tool that nobody registered.
pub(crate) fn unknown_function(name: &str, functions: &FunctionRegistry) -> String {
    let known = functions.names().collect::<Vec<_>>().join(", ");
    format!("no function {name:?} is registered; known ones: {known}")
}

#[async_trait]
impl Agent for LlmAgent {
    fn definition(&self) -> &AgentDefinition {
        &self.definition
    }

    fn approval_schemas(&self) -> BTreeMap<String, Value> {
        self.tools.approval_schemas()
    }

    async fn run(&self, run: Run<'_>) -> RunEnd {
        // Not in a `match` over the result, which would keep room for it beside the run.
        let mut drive = match drive::Drive::new(self, run) {
            Ok(drive) => drive,
            Err(end) => return end,
        };
        drive.run_to_end().await
    }
}
