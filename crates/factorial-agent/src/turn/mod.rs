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

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    Agent, AgentDefinition, ErrorKind, Failure, FunctionRegistry, HttpClients, McpServers, Model,
    ModelChain, OutputSchema, Providers, Run, RunEnd, ToolSet, context, model::RemoteModel,
};

/// What a process has for its agents to share.
#[derive(Debug, Clone)]
pub struct Resources {
    /// For models, HTTP tools and MCP servers.
    pub http: HttpClients,
    /// The functions that agent files may name.
    pub functions: FunctionRegistry,
    /// Addresses and keys.
    pub providers: Providers,
    /// Sessions with MCP servers.
    pub mcp: McpServers,
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
    /// [`BuildError`] if the schema of the output or of the context is none.
    pub fn new(
        definition: AgentDefinition,
        model: Box<dyn Model>,
        tools: ToolSet,
    ) -> Result<Self, BuildError> {
        let wrong = |problem| BuildError {
            agent: definition.name.to_string(),
            problems: vec![problem],
        };
        let output = OutputSchema::of(&definition.output)
            .map_err(|why| wrong(format!("output.schema: {why}")))?;
        if let Some(schema) = &definition.context_schema {
            context::check_schema(schema).map_err(|why| wrong(format!("context_schema: {why}")))?;
        }
        Ok(Self {
            version: definition.version(),
            definition,
            model,
            tools,
            output,
        })
    }
}

impl LlmAgent {
    /// The tools of the agent's servers, which are waited for while they are being connected to.
    async fn served(&self, run: &Run<'_>) -> Result<Vec<Arc<ToolSet>>, RunEnd> {
        if !self.tools.is_served() {
            return Ok(Vec::new());
        }
        let unavailable = |why: String| {
            let turn = run.turns_done.saturating_add(1);
            RunEnd::Failed(Failure::new(ErrorKind::ToolsUnavailable, turn, why))
        };
        let served = tokio::time::timeout(run.turn_timeout, self.tools.served());
        tokio::select! {
            () = run.signals.drain().cancelled() => Err(RunEnd::HandBack),
            served = served => match served {
                Ok(served) => served.map_err(unavailable),
                Err(_) => {
                    let seconds = run.turn_timeout.as_secs_f64();
                    Err(unavailable(format!("an MCP server is not connected to within the turn timeout of {seconds} s")))
                }
            },
        }
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
        let served = match Box::pin(self.served(&run)).await {
            Ok(served) => served,
            Err(end) => return end,
        };
        let mut drive = match drive::Drive::new(self, run, served) {
            Ok(drive) => drive,
            Err(end) => return end,
        };
        drive.run_to_end().await
    }
}
