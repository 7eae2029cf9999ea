//! The agents that the load generator's workers serve.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use factorial_agent::{
    Agent, AgentDefinition, AgentName, Asks, DeferredToolDefinition, FunctionRegistry, HttpClients,
    LlmAgent, McpServers, ModelSpec, NoopAgent, Provider, ProviderSettings, Providers, Resources,
    RetryPolicy, ToolDefinition, ToolError, ToolErrorKind, ToolSpec,
};
use factorial_worker::{Runner, RunnerOptions, SetupError};
use serde_json::{Value, json};

use super::stamp::StampAgent;
use crate::error::RoleError;

/// Completes every task at once.
pub(crate) const NOOP_AGENT: &str = "noop";
/// Completes every task with the time at which it was begun.
pub(crate) const STAMP_AGENT: &str = "stamp";
/// Has a model, and one tool.
pub(crate) const MODEL_AGENT: &str = "model";
/// Has a model, and one tool that is answered from outside.
pub(crate) const DEFERRING_AGENT: &str = "deferring";
/// Gives back its `text`.
pub(crate) const TOOL: &str = "echo";

const TURN_TIMEOUT: Duration = Duration::from_secs(120);
/// More than a run of any scenario has.
const MAX_TURNS: u32 = 10_000;

/// All of them, each with so many slots. Without a model there is none that needs it; with `deferring` there is one, and
/// it alone.
pub(super) fn runners(
    slots: u32,
    model_url: Option<String>,
    deferring: bool,
    clock: fn() -> u64,
) -> Result<Vec<Runner>, RoleError> {
    let mut agents: Vec<Arc<dyn Agent>> = vec![
        Arc::new(NoopAgent::new(name(NOOP_AGENT)?, "ok")),
        Arc::new(StampAgent {
            definition: definition(STAMP_AGENT)?,
            clock,
        }),
    ];
    match model_url {
        Some(url) if deferring => agents = vec![Arc::new(deferring_agent(url)?)],
        Some(url) => agents.push(Arc::new(model_agent(url)?)),
        None => {}
    }
    let runner = |agent| {
        let options = RunnerOptions {
            slots,
            turn_timeout: TURN_TIMEOUT,
            retry: RetryPolicy::default(),
        };
        Runner::new(agent, options).map_err(|error| RoleError::from(SetupError::from(error)))
    };
    agents.into_iter().map(runner).collect()
}

fn name(text: &str) -> Result<AgentName, RoleError> {
    AgentName::new(text).map_err(|error| std::io::Error::other(error).into())
}

fn definition(agent: &str) -> Result<AgentDefinition, RoleError> {
    let model = ModelSpec::new(Provider::Openai, "sim-model");
    Ok(AgentDefinition::new(name(agent)?, model))
}

fn model_agent(url: String) -> Result<LlmAgent, RoleError> {
    let mut definition = definition(MODEL_AGENT)?;
    "You are measured.".clone_into(&mut definition.instructions);
    definition.limits.max_turns = Some(MAX_TURNS);
    definition.tools = vec![ToolDefinition::Function {
        name: TOOL.to_owned(),
        approval: None,
    }];
    let mut functions = FunctionRegistry::new();
    functions.register(tool_spec(), |_, args: Value| async move {
        match args.get("text").and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(ToolError::new(ToolErrorKind::InvalidArguments, "no text")),
        }
    });
    build(definition, url, functions)
}

fn deferring_agent(url: String) -> Result<LlmAgent, RoleError> {
    let mut definition = definition(DEFERRING_AGENT)?;
    "You are measured.".clone_into(&mut definition.instructions);
    definition.tools = vec![ToolDefinition::Deferred(DeferredToolDefinition {
        name: "ask".to_owned(),
        description: "Asks somebody else.".to_owned(),
        parameters: json!({ "type": "object", "properties": {} }),
        asks: Asks::Operator,
        timeout_seconds: None,
        approval: None,
    })];
    build(definition, url, FunctionRegistry::new())
}

fn build(
    definition: AgentDefinition,
    url: String,
    functions: FunctionRegistry,
) -> Result<LlmAgent, RoleError> {
    let settings = ProviderSettings {
        base_url: Some(url),
        key: Some("unused".into()),
    };
    let resources = Resources {
        http: HttpClients::new().map_err(SetupError::from)?,
        functions,
        providers: Providers {
            settings: BTreeMap::from([(Provider::Openai, settings)]),
            ..Providers::default()
        },
        mcp: McpServers::default(),
    };
    Ok(LlmAgent::build(definition, &resources).map_err(SetupError::from)?)
}

/// The tool as the model sees it.
fn tool_spec() -> ToolSpec {
    let parameters = json!({
        "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"],
        "additionalProperties": false,
    });
    ToolSpec::new(TOOL, "Gives back its text.", parameters)
}
