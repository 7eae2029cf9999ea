//! Names of attributes, as the semantic conventions of OpenTelemetry have them in the version of [`SCHEMA_URL`], and our own.
//!
//! Invariant: no other file has the name of an attribute.

/// The version.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.38.0";

/// Of the resource.
pub const SERVICE_NAME: &str = "service.name";
/// Of the resource.
pub const SERVICE_VERSION: &str = "service.version";
/// Of the resource: a process.
pub const SERVICE_INSTANCE: &str = "service.instance.id";

/// Of a request.
pub const HTTP_METHOD: &str = "http.request.method";
/// Of a request.
pub const HTTP_ROUTE: &str = "http.route";
/// Of its answer.
pub const HTTP_STATUS: &str = "http.response.status_code";
/// What went wrong: a kind.
pub const ERROR_TYPE: &str = "error.type";

/// `invoke_agent`, `chat`, `execute_tool`.
pub const OPERATION: &str = "gen_ai.operation.name";
/// The agent's name.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// Whose conversation it is: the task.
pub const CONVERSATION: &str = "gen_ai.conversation.id";
/// The provider.
pub const PROVIDER: &str = "gen_ai.provider.name";
/// The model as it is asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The provider's id of the reply.
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// Why the model stopped: a list.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens.
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Tokens.
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// JSON; only when content is asked for.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// JSON; only when content is asked for.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// The tool.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// The call.
pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// Only when content is asked for.
pub const TOOL_RESULT: &str = "gen_ai.tool.call.result";

/// The task.
pub const TASK_ID: &str = "factorial.task.id";
/// The task that has spawned it.
pub const PARENT_TASK: &str = "factorial.parent_task.id";
/// Number of the attempt.
pub const ATTEMPT: &str = "factorial.attempt";
/// Number of the turn.
pub const TURN: &str = "factorial.turn";
/// How the attempt ended.
pub const OUTCOME: &str = "factorial.outcome";
/// The worker.
pub const WORKER: &str = "factorial.worker.id";
/// The request's id, as logs and answers have it.
pub const REQUEST_ID: &str = "factorial.request.id";
/// Seconds to the first token.
pub const FIRST_TOKEN: &str = "factorial.time_to_first_token_seconds";
/// US dollars.
pub const COST: &str = "factorial.cost_usd";
/// Tokens from the provider's cache.
pub const CACHED_TOKENS: &str = "factorial.cached_input_tokens";
