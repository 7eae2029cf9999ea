//! One tool of a server.

use std::sync::Arc;

use async_trait::async_trait;
use rmcp::model::{CallToolRequestParams, CallToolResponse, RequestMetaObject};
use serde_json::Value;

use super::{result, server::Server};
use crate::tool::{Tool, ToolContext, ToolError, ToolErrorKind, ToolOutput, ToolSpec};

/// Where a call carries its idempotency key.
pub(super) const IDEMPOTENCY_META: &str = "factorial/idempotency-key";
/// Sessions that a call is tried in; it goes on only when it certainly was not made.
const MAX_SESSIONS: u32 = 5;

/// A tool of a server.
pub(super) struct McpTool {
    pub(super) spec: ToolSpec,
    /// The name that the server uses.
    pub(super) remote: String,
    pub(super) max_response_bytes: u64,
    pub(super) server: Arc<Server>,
}

impl McpTool {
    fn params(&self, ctx: &ToolContext, args: &Value) -> CallToolRequestParams {
        let mut meta = RequestMetaObject::default();
        meta.insert(
            IDEMPOTENCY_META.to_owned(),
            ctx.idempotency_key.as_str().into(),
        );
        if let Some(trace) = &ctx.trace {
            meta.set_traceparent(trace.as_str());
        }
        let args = args.as_object().cloned().unwrap_or_default();
        let mut params = CallToolRequestParams::new(self.remote.clone()).with_arguments(args);
        params.meta = Some(meta);
        params
    }
}

#[async_trait]
impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// Dropping the future tells the server that the call is cancelled.
    async fn call(&self, ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError> {
        let stopped = |why: String| ToolError::new(ToolErrorKind::Network, why);
        let mut sessions = 0;
        loop {
            let session = self.server.session().await.map_err(stopped)?;
            sessions += 1;
            let called = session.peer.call_tool_once(self.params(ctx, &args)).await;
            let error = match called {
                Ok(CallToolResponse::Complete(result)) => {
                    return result::output(&result, self.max_response_bytes);
                }
                Ok(_) => {
                    return Err(ToolError::failed(
                        "the server wants to ask something or to answer later, which is not supported",
                    ));
                }
                Err(error) => error,
            };
            if result::ends_session(&error) {
                self.server.broken(session.number);
            }
            if !result::was_not_made(&error) || sessions >= MAX_SESSIONS {
                return Err(result::failure(&error));
            }
        }
    }
}
