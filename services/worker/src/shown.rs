//! What may be shown of an agent's definition to whoever can see the dashboard.
//!
//! Announced by the worker. Invariant: it is put together from what is named here, so that a new key of agent files is
//! not shown by accident. Addresses, headers and names of variables with keys are left out: people write secrets there.

use factorial_agent::{AgentDefinition, OutputSpec, ToolDefinition};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Most bytes of the instructions, and of a schema.
const MOST_BYTES: usize = 32 * 1024;

/// The definition without what may be secret.
pub(crate) fn definition(agent: &AgentDefinition) -> Value {
    let models = agent.model.targets();
    let models = models
        .iter()
        .map(|target| json!({ "provider": target.provider, "name": target.name }));
    let mut shown = Map::new();
    shown.insert("models".to_owned(), models.collect());
    if !agent.instructions.is_empty() {
        let (instructions, cut) = shortened(&agent.instructions);
        shown.insert("instructions".to_owned(), instructions.into());
        if cut {
            shown.insert("instructions_cut".to_owned(), true.into());
        }
    }
    insert(&mut shown, "settings", &agent.settings);
    insert(&mut shown, "limits", &agent.limits);
    insert(&mut shown, "retry", &agent.retry);
    insert(&mut shown, "worker", &agent.worker);
    insert(&mut shown, "prices", &agent.prices);
    let tools = agent.tools.iter().map(tool);
    shown.insert("tools".to_owned(), tools.collect());
    // Whole: it is never longer than what is shown, and forms are made of it.
    insert(&mut shown, "context_schema", &agent.context_schema);
    if let OutputSpec::Json { schema } = &agent.output {
        shown.insert("output_schema".to_owned(), bounded(schema));
    }
    Value::Object(shown)
}

fn tool(tool: &ToolDefinition) -> Value {
    let mut shown = Map::new();
    shown.insert("name".to_owned(), tool.name().into());
    let (kind, description, parameters) = match tool {
        ToolDefinition::Function { .. } => ("function", "", None),
        ToolDefinition::Http(http) => ("http", &*http.description, Some(&http.parameters)),
        ToolDefinition::Agent(agent) => {
            shown.insert("agent".to_owned(), agent.agent.to_string().into());
            ("agent", &*agent.description, None)
        }
        ToolDefinition::Mcp(server) => {
            insert(&mut shown, "include", &server.include);
            ("mcp", "", None)
        }
        ToolDefinition::Deferred(call) => ("deferred", &*call.description, Some(&call.parameters)),
    };
    shown.insert("kind".to_owned(), kind.into());
    if !description.is_empty() {
        shown.insert("description".to_owned(), shortened(description).0.into());
    }
    if let Some(parameters) = parameters {
        shown.insert("parameters".to_owned(), bounded(parameters));
    }
    if let Some(approval) = tool.approval() {
        insert(&mut shown, "approval", approval);
    }
    Value::Object(shown)
}

/// Adds a part; one that says nothing is left out.
fn insert(shown: &mut Map<String, Value>, name: &str, part: &impl Serialize) {
    match serde_json::to_value(part) {
        Ok(Value::Object(part)) if part.is_empty() => {}
        Ok(Value::Null) | Err(_) => {}
        Ok(part) => {
            shown.insert(name.to_owned(), part);
        }
    }
}

fn bounded(schema: &Value) -> Value {
    if schema.to_string().len() > MOST_BYTES {
        return json!({ "description": "too long to be shown" });
    }
    schema.clone()
}

fn shortened(text: &str) -> (&str, bool) {
    let end = text.floor_char_boundary(MOST_BYTES);
    (&text[..end], end < text.len())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{sync::Arc, time::Duration};

    use async_trait::async_trait;
    use factorial_agent::{
        Agent, HttpToolDefinition, ModelSpec, Provider, RetryPolicy, Run, RunEnd,
    };

    use super::*;
    use crate::{options::RunnerOptions, runner::Runner};

    struct Served(AgentDefinition);

    #[async_trait]
    impl Agent for Served {
        fn definition(&self) -> &AgentDefinition {
            &self.0
        }

        async fn run(&self, _: Run<'_>) -> RunEnd {
            RunEnd::HandBack
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let secret = "hunter2";
        let mut model = ModelSpec::new(Provider::OpenaiCompatible, "m");
        model.base_url = Some(format!("https://user:{secret}@example.com/?key={secret}"));
        model.api_key_env = Some(format!("ENV_{secret}"));
        model.headers.insert("x-key".to_owned(), secret.to_owned());
        model.fallbacks = model.targets();
        let mut agent = AgentDefinition::new("a".parse().unwrap(), model);
        agent.instructions = "Be kind.".repeat(10_000);
        let mut http = HttpToolDefinition::new("weather", format!("https://x/?key={secret}"));
        http.headers
            .insert("authorization".to_owned(), format!("Bearer {secret}"));
        agent.tools = vec![ToolDefinition::Http(http)];
        let shown = definition(&agent);
        assert!(!shown.to_string().contains(secret), "{shown}");
        assert_eq!(shown["models"][1]["provider"], "openai_compatible");
        assert_eq!(shown["tools"][0]["name"], "weather");
        assert_eq!(shown["instructions_cut"], true);
        assert!(shown["instructions"].as_str().unwrap().len() <= MOST_BYTES);
    }

    #[test]
    fn the_schema_of_the_context_is_announced_and_shown() {
        let schema = json!({"type": "object", "required": ["n"]});
        let mut agent =
            AgentDefinition::new("a".parse().unwrap(), ModelSpec::new(Provider::Ollama, "m"));
        assert!(definition(&agent).get("context_schema").is_none());
        agent.context_schema = Some(schema.clone());
        assert_eq!(definition(&agent)["context_schema"], schema);
        let options = RunnerOptions {
            slots: 1,
            turn_timeout: Duration::from_secs(1),
            retry: RetryPolicy::default(),
        };
        let runner = Runner::new(Arc::new(Served(agent)), options).unwrap();
        assert_eq!(runner.announcement().context_schema, Some(schema));
    }
}
