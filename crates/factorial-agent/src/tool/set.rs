//! The tools of one agent, and how a call of the model is run.
//!
//! Built with the agent, used by the turn loop. Invariant: [`ToolSet::run`] never fails and never panics; what goes
//! wrong becomes a text for the model.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jsonschema::Validator;
use serde_json::Value;
use tokio::time::timeout;

use super::{Tool, ToolContext, ToolError, ToolErrorKind, ToolSpec};
use crate::{ToolCall, output};

/// Largest result that the model gets, in bytes.
pub(crate) const MAX_RESULT_BYTES: usize = 256 << 10;

/// Tools by name.
#[derive(Default)]
pub struct ToolSet {
    specs: Vec<ToolSpec>,
    tools: BTreeMap<String, Entry>,
}

struct Entry {
    tool: Arc<dyn Tool>,
    validator: Validator,
}

impl std::fmt::Debug for ToolSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

/// What came of a call, ready for the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) content: String,
    pub(crate) error: Option<ToolErrorKind>,
}

impl From<ToolError> for Outcome {
    fn from(error: ToolError) -> Self {
        Self {
            content: bounded(format!("error ({}): {}", error.kind, error.message)),
            error: Some(error.kind),
        }
    }
}

impl ToolSet {
    /// The tools in the order in which they are offered.
    ///
    /// # Errors
    /// A name that is not one or stands twice, or a schema that is not one.
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Result<Self, String> {
        let mut set = Self::default();
        for tool in tools {
            let spec = tool.spec().clone();
            if !is_tool_name(&spec.name) {
                return Err(format!(
                    "tool name {:?}: 1 to 64 of letters, digits, `_` and `-`",
                    spec.name
                ));
            }
            let validator = output::compile(&spec.parameters)
                .map_err(|error| format!("tool {}: parameters: {error}", spec.name))?;
            if set
                .tools
                .insert(spec.name.clone(), Entry { tool, validator })
                .is_some()
            {
                return Err(format!("tool {} stands twice", spec.name));
            }
            set.specs.push(spec);
        }
        Ok(set)
    }

    /// What is offered to the model.
    #[must_use]
    pub fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    /// Whether calls of that tool must not be made twice.
    pub(crate) fn at_most_once(&self, name: &str) -> bool {
        self.tools
            .get(name)
            .is_some_and(|entry| entry.tool.spec().at_most_once)
    }

    /// Runs one call in at most `bound`, or in the tool's own time if that is shorter.
    pub(crate) async fn run(&self, call: &ToolCall, ctx: ToolContext, bound: Duration) -> Outcome {
        match self.try_run(call, ctx, bound).await {
            Ok(content) => Outcome {
                content: bounded(content),
                error: None,
            },
            Err(error) => error.into(),
        }
    }

    async fn try_run(
        &self,
        call: &ToolCall,
        ctx: ToolContext,
        bound: Duration,
    ) -> Result<String, ToolError> {
        let Some(Entry { tool, validator }) = self.tools.get(&call.name) else {
            let known = self
                .tools
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(ToolError::new(
                ToolErrorKind::UnknownTool,
                format!("there is no tool of this name; the tools are: {known}"),
            ));
        };
        let args = arguments(&call.arguments)?;
        let problems = output::problems(validator, &args);
        if !problems.is_empty() {
            return Err(ToolError::new(
                ToolErrorKind::InvalidArguments,
                problems.join("; "),
            ));
        }
        let bound = bound.min(tool.spec().timeout);
        let tool = Arc::clone(tool);
        // A task of its own catches a panic, and a tool that blocks its thread cannot keep the timeout from firing.
        // Dropping the handle's guard stops it.
        let mut task = AbortOnDrop(tokio::spawn(async move { tool.call(&ctx, args).await }));
        match timeout(bound, &mut task.0).await {
            Ok(Ok(result)) => result.map(|output| output.content),
            Ok(Err(_)) => Err(ToolError::new(ToolErrorKind::Panicked, "the tool panicked")),
            Err(_) => Err(ToolError::new(
                ToolErrorKind::Timeout,
                format!(
                    "the tool took longer than {} s and was stopped",
                    bound.as_secs_f64()
                ),
            )),
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Models write nothing at all for a tool without parameters.
fn arguments(text: &str) -> Result<Value, ToolError> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(text).map_err(|error| {
        ToolError::new(
            ToolErrorKind::InvalidArguments,
            format!("the arguments are not valid JSON: {error}"),
        )
    })
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
}

/// Cuts a result at a character boundary and says so.
fn bounded(mut content: String) -> String {
    if content.len() > MAX_RESULT_BYTES {
        let note = format!("\n[cut off: {} bytes in all]", content.len());
        content.truncate(content.floor_char_boundary(MAX_RESULT_BYTES - note.len()));
        content.push_str(&note);
    }
    content
}
