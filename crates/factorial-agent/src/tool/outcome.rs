//! What a call gives the model.
//!
//! Invariant: a call of a tool never panics here and never gives more than [`MAX_RESULT_BYTES`].

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::timeout;

use super::{Tool, ToolContext, ToolError, ToolErrorKind};

/// Largest result that the model gets, in bytes.
pub(crate) const MAX_RESULT_BYTES: usize = 256 << 10;

/// What came of a call, ready for the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) content: String,
    pub(crate) error: Option<ToolErrorKind>,
}

impl Outcome {
    /// A result, cut to what the model may get.
    pub(crate) fn ok(content: String) -> Self {
        Self {
            content: bounded(content),
            error: None,
        }
    }

    /// An error of `kind`.
    pub(crate) fn error(kind: ToolErrorKind, message: impl Into<String>) -> Self {
        ToolError::new(kind, message).into()
    }
}

impl From<ToolError> for Outcome {
    fn from(error: ToolError) -> Self {
        Self {
            content: bounded(format!("error ({}): {}", error.kind, error.message)),
            error: Some(error.kind),
        }
    }
}

/// Calls a tool with arguments that have passed its schema, in at most `bound` or the tool's own time.
pub(crate) async fn run(
    tool: &Arc<dyn Tool>,
    ctx: ToolContext,
    args: Value,
    bound: Duration,
) -> Result<String, ToolError> {
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

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cuts a result to what the model may get.
fn bounded(content: String) -> String {
    if content.len() > MAX_RESULT_BYTES {
        cut(&content, MAX_RESULT_BYTES)
    } else {
        content
    }
}

/// A text of at most `limit` bytes, as far as there is room for the note that it is cut off.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let note = format!("\n[cut off: {} bytes in all]", text.len());
    let end = text.floor_char_boundary(limit.saturating_sub(note.len()));
    format!("{}{note}", &text[..end])
}
