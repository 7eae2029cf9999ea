//! Agent definitions, models, tools and the turn loop; knows no Redis.
//!
//! A worker loads [`AgentDefinition`]s with [`load()`], builds an [`LlmAgent`] of each, and drives one [`Run`] a lease.
//! Everything durable goes through the [`Journal`] that the worker gives; nothing is kept between runs.

mod agent;
mod context;
mod definition;
mod failure;
mod journal;
mod limits;
mod load;
mod mcp;
mod message;
mod model;
mod noop;
mod output;
mod provider;
mod retry;
mod signals;
mod tool;
mod turn;
mod usage;
mod wait;

pub use agent::{Agent, Run, RunEnd};
pub use definition::{
    AgentDefinition, AgentName, AgentNameError, AgentToolDefinition, ApprovalSpec, Asks,
    DeferredToolDefinition, HttpMethod, HttpToolDefinition, McpDefinition, ModelSpec, ModelTarget,
    OutputSpec, Price, Provider, ReasoningEffort, RetrySettings, Settings, ToolChoice,
    ToolDefinition, WaitTimeout, WorkerSettings,
};
pub use failure::{ErrorKind, Failure};
pub use journal::{BoundaryReason, Completion, Journal, JournalError, ToolRecord, TurnRecord};
pub use limits::{Limits, Spent};
pub use load::{LoadErrors, Problem, load, load_checked};
pub use mcp::McpServers;
pub use message::{Message, MessageError, ToolCall, parse_messages};
pub use model::{
    ClientError, Deltas, FinishReason, HttpClients, Model, ModelChain, ModelError, ModelReply,
    ModelRequest, describe_metrics,
};
pub use noop::NoopAgent;
pub use output::{Output, OutputSchema};
pub use provider::{Keys, NoKeys, ProviderSettings, Providers};
pub use retry::RetryPolicy;
pub use signals::Signals;
pub use tool::{
    FunctionRegistry, HttpTool, Tool, ToolContext, ToolError, ToolErrorKind, ToolOutput, ToolSet,
    ToolSpec,
};
pub use turn::{BuildError, LlmAgent, Resources};
pub use usage::Usage;
pub use wait::{
    CallerTool, NewChild, NewWait, ParkedFor, Parking, SpawnRefusal, Spawned, Wait, WaitKey,
    WaitKeyError, WaitKind, WaitOutcome, WaitStatus,
};
