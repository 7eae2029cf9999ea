//! Rust functions as tools.
//!
//! A worker registers its functions before it loads agents; agent files name them.
//! Invariant: a function that blocks its thread does so on a thread for that, if it was registered as blocking.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc};

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Tool, ToolContext, ToolError, ToolErrorKind, ToolOutput, ToolSpec, calculator::Calculator,
    current_time::CurrentTime,
};

type Call =
    dyn Fn(ToolContext, Value) -> BoxFuture<'static, Result<ToolOutput, ToolError>> + Send + Sync;

struct Function {
    spec: ToolSpec,
    call: Box<Call>,
}

#[async_trait]
impl Tool for Function {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError> {
        (self.call)(ctx.clone(), args).await
    }
}

/// The functions that agent files may name.
#[derive(Clone, Default)]
pub struct FunctionRegistry {
    tools: BTreeMap<String, Arc<dyn Tool>>,
}

impl fmt::Debug for FunctionRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

impl FunctionRegistry {
    /// Without any function.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With `current_time` and `calculator`. `clock` says what time it is.
    #[must_use]
    pub fn with_builtins(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let mut registry = Self::new();
        registry.add(Arc::new(CurrentTime::new(clock)));
        registry.add(Arc::new(Calculator::default()));
        registry
    }

    /// Adds a tool under the name of its spec, instead of an earlier one of that name.
    pub fn add(&mut self, tool: Arc<dyn Tool>) {
        self.tools.insert(tool.spec().name.clone(), tool);
    }

    /// Adds an async function.
    pub fn register<F, R, O>(&mut self, spec: ToolSpec, function: F)
    where
        F: Fn(ToolContext, Value) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, ToolError>> + Send + 'static,
        O: Into<ToolOutput>,
    {
        let call = move |ctx, args| -> BoxFuture<'static, Result<ToolOutput, ToolError>> {
            let future = function(ctx, args);
            Box::pin(async move { future.await.map(Into::into) })
        };
        self.add(Arc::new(Function {
            spec,
            call: Box::new(call),
        }));
    }

    /// Adds a function that blocks; it runs on a thread for blocking work. A timeout or a cancel stops the wait for
    /// it, not the function itself.
    pub fn register_blocking<F, O>(&mut self, spec: ToolSpec, function: F)
    where
        F: Fn(&ToolContext, Value) -> Result<O, ToolError> + Send + Sync + 'static,
        O: Into<ToolOutput> + Send + 'static,
    {
        let function = Arc::new(function);
        self.register(spec, move |ctx, args| {
            let function = Arc::clone(&function);
            async move {
                let joined = tokio::task::spawn_blocking(move || function(&ctx, args)).await;
                joined.map_err(|_| ToolError::new(ToolErrorKind::Panicked, "the tool panicked"))?
            }
        });
    }

    /// The tool of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.tools.get(name).cloned()
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }
}
