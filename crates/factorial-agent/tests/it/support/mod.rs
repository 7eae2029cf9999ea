//! What the tests share.

mod endpoint;
mod journal;
mod planner;
mod script;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use factorial_agent::{
    AgentDefinition, FunctionRegistry, HttpClients, LlmAgent, McpServers, ModelSpec, Provider,
    Providers, Resources, ToolContext, ToolDefinition, ToolError, ToolSpec,
};
use factorial_sim::{Sim, SimConfig};
use serde_json::{Value, json};

pub(crate) use self::{
    endpoint::{Endpoint, Hit},
    journal::{Entry, MemoryJournal},
    planner::{Asks, Planner},
    script::Script,
};

/// Longest wait for anything in a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn sim() -> Sim {
    Sim::start(SimConfig::default()).await.unwrap()
}

/// An agent called `test` that asks the server at `base_url`.
pub(crate) fn definition(base_url: &str) -> AgentDefinition {
    let model = ModelSpec {
        base_url: Some(base_url.to_owned()),
        ..ModelSpec::new(Provider::OpenaiCompatible, "sim")
    };
    AgentDefinition::new("test".parse().unwrap(), model)
}

pub(crate) fn with_tools(mut definition: AgentDefinition, names: &[&str]) -> AgentDefinition {
    definition.tools = names
        .iter()
        .map(|name| ToolDefinition::Function {
            name: (*name).to_owned(),
            approval: None,
        })
        .collect();
    definition
}

/// The call ids that tools were run for, in order.
pub(crate) type Calls = Arc<Mutex<Vec<String>>>;

/// Functions for tests, and a record of their calls.
pub(crate) fn functions() -> (FunctionRegistry, Calls) {
    let calls = Calls::default();
    let mut registry = FunctionRegistry::with_builtins(|| jiff::Timestamp::UNIX_EPOCH);
    let number = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}});
    for (name, once) in [("alpha", false), ("beta", false), ("once", true)] {
        let mut spec = ToolSpec::new(name, "for tests", number.clone());
        spec.at_most_once = once;
        let calls = Arc::clone(&calls);
        registry.register(spec, move |ctx: ToolContext, args: Value| {
            calls.lock().unwrap().push(ctx.call_id.clone());
            assert_eq!(
                ctx.idempotency_key,
                format!("{}/{}", ctx.task_id, ctx.call_id)
            );
            async move { Ok(format!("result of {} for {}", ctx.call_id, args["n"])) }
        });
    }
    let nothing = || json!({"type": "object", "properties": {}});
    registry.register(
        ToolSpec::new("explode", "panics", nothing()),
        |_, _| async { panic!("boom") as Result<String, ToolError> },
    );
    registry.register(ToolSpec::new("big", "much", nothing()), |_, _| async {
        Ok("é".repeat(5_000_000))
    });
    registry.register(
        ToolSpec::new("refuse", "says no", nothing()),
        |_, _| async { Err::<String, _>(ToolError::failed("not today")) },
    );
    let stuck =
        ToolSpec::new("stuck", "never ends", nothing()).with_timeout(Duration::from_millis(100));
    registry.register(stuck, |_, _| {
        std::future::pending::<Result<String, ToolError>>()
    });
    let spec = ToolSpec::new("hog", "blocks its thread", nothing())
        .with_timeout(Duration::from_millis(100));
    registry.register(spec, |_, _| async {
        std::thread::sleep(Duration::from_millis(2000));
        Ok("late")
    });
    registry.register_blocking(
        ToolSpec::new("blocking", "blocks politely", nothing()),
        |_, _| Ok("done"),
    );
    (registry, calls)
}

pub(crate) fn resources(functions: FunctionRegistry) -> Resources {
    Resources {
        http: HttpClients::new().unwrap(),
        functions,
        providers: Providers::default(),
        mcp: McpServers::default(),
    }
}

pub(crate) fn build(definition: AgentDefinition) -> LlmAgent {
    LlmAgent::build(definition, &resources(functions().0)).unwrap()
}

/// An agent with these tools, as in a file, that asks the server at `base_url`; and the calls that its functions get.
pub(crate) fn with_definitions(base_url: &str, tools: Value) -> (LlmAgent, Calls) {
    let (functions, calls) = functions();
    let mut definition = definition(base_url);
    definition.tools = serde_json::from_value(tools).unwrap();
    let agent = LlmAgent::build(definition, &resources(functions)).unwrap();
    (agent, calls)
}

/// Polls until `check` holds.
pub(crate) async fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !check() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
