//! HTTP and WebSocket wire types of Factorial.
//!
//! Shared by the gateway, the client and the dashboard. A type here is a promise to people's programs:
//! it never doubles as what is stored in Redis. OpenAPI schemas are behind the `openapi` feature.

mod agent;
mod approval;
mod audit;
mod batch;
mod dashboard;
mod event;
mod feed;
mod health;
mod key;
mod message;
mod page;
mod problem;
mod steer;
mod task;
mod time;
mod tool_call;
mod tree;
mod webhook;
mod worker;

pub use agent::Agent;
pub use approval::{ApproveRequest, AskedCall, AskedCallPage, DenyRequest};
pub use audit::AuditEntry;
pub use batch::{
    Batch, BatchEvent, BatchEventPage, BatchLeft, BatchMember, BatchPage, BatchProblem,
    BatchResult, BatchSettings, BatchStatus, CancelBatchRequest, LineProblem, Progress,
    ProgressUnit, SubmitBatch,
};
pub use dashboard::{
    Activity, AgentActivity, BulkAction, BulkFilter, BulkRequest, BulkResponse, ChoreInfo,
    DashboardCaller, DashboardConfig, LiveRequest, LogIn, Overview, PartitionInfo, Percentiles,
    RedisInfo, StatusCounts, System, Window, WindowModelUse, WindowTotals,
};
pub use event::{Event, EventPage, TEXT_DELTA, TextDelta};
pub use feed::{
    FEED_GAP, FEED_OPENED, FEED_SNAPSHOT, FeedEvent, FeedEventPage, FeedSnapshot, FeedTask,
};
pub use health::Health;
pub use key::{CreateKey, CreatedKey, Key, KeyStatus, Role};
pub use message::{InputMessage, InputRole, Message, MessageBody, MessagePage, ToolCall};
pub use page::Page;
pub use problem::{ErrorCode, FieldError, Problem};
pub use steer::{CancelRequest, SteerMode, SteerRequest, SteerResponse};
pub use task::{
    Failure, Limits, SubmitTask, Task, TaskPage, TaskResult, TaskStatus, TaskStatusView, Usage,
};
pub use time::Time;
pub use tool_call::{
    AnswerResponse, Asks, AwaitedCall, CallbackError, CallbackRequest, CallerTool, ToolCallError,
    ToolCallOutcome, ToolCallProgress, ToolCallResult, ToolCallStatus,
};
pub use tree::{Descendants, TaskTree, TreeNode, TreeTotals};
pub use webhook::{
    AddWebhook, DeliveryStatus, OwnerSecret, SigningSecret, TaskWebhook, Webhook, WebhookDelivery,
    WebhookEventType, WebhookMessage,
};
pub use worker::{Worker, WorkerAgent};
