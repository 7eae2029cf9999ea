//! What Factorial keeps in Redis, and every atomic way to change it.
//!
//! The only crate that speaks Redis: services call [`Store`]. A transition is one Lua script in `lua/`, with its
//! arguments and outcomes in the file of the same name in `scripts/`; keys are named in `keys.rs` alone.

mod address;
mod age;
mod api_key;
mod asked;
mod audit;
mod batch;
mod chores;
mod connect;
mod conversation;
mod delivery;
mod error;
mod event;
mod failure;
mod feed;
mod find;
mod group;
mod ids;
mod keys;
mod link;
mod list;
mod live;
mod map;
mod metrics;
mod node;
mod owners;
mod read;
mod registry;
mod script;
mod scripts;
mod secret;
pub mod segments;
mod server;
mod signals;
mod slots;
mod store;
mod task;
mod timeline;
mod wait;
mod wake;
mod webhook;

pub use address::{Address, InvalidAddress, TlsOptions};
pub use age::Oldest;
pub use api_key::{AddedKey, ApiKey, InvalidKeyRole, KeyLimits, KeyNotice, KeyRole, MOST_API_KEYS};
pub use asked::{Asked, AskedFilter, AskedPage};
pub use audit::{AuditEntry, AuditPage, is_audit_cursor};
pub use batch::{BatchListPage, BatchRecord, BatchState, Unsettled};
pub use chores::{ChoreReport, ChoreStatus};
pub use connect::{ConnectError, StoreOptions};
pub use conversation::{Entry, InputMessage, Role, ToolCall};
pub use delivery::{Delivery, DeliveryId, DeliveryState, Subject};
pub use error::{StoreError, UnavailableReason};
pub use event::{Event, EventType, NewEvent};
pub use failure::{Failure, kind as failure_kind};
pub use feed::FeedEntry;
pub use ids::{
    AgentName, BatchId, InvalidName, KeyId, Namespace, OwnerId, Partition, Priority, TaskId,
    WebhookId, WorkerId,
};
pub use keys::Keys;
pub use list::{ListCursor, ListFilter, ListPage, ListedIds};
pub use live::{EventBatch, ReplyText, Subscription};
pub use metrics::describe as describe_metrics;
pub use owners::Owners;
pub use read::Counts;
pub use registry::{AgentAnnouncement, WorkerAgentSlots, WorkerAnnouncement};
pub use scripts::{
    add_webhook::AddedWebhook,
    answer::{Answer, AnswerOutcome},
    cancel::CancelOutcome,
    cancel_batch::CancelBatchOutcome,
    cascade::Cascade,
    claim::{ClaimRequest, Claimed},
    commit::{Commit, CommitOutcome, Spent},
    due_deliveries::{DueDeliveries, Leased},
    enqueue::{Enqueued, Idempotency, NewTask, Parent, Start},
    expire::Expired,
    finish::{Ending, Finish, FinishOutcome, Plain},
    open_batch::{NewBatch, OpenedBatch},
    park::{ParkOutcome, ParkedFor},
    promote::Promoted,
    reconcile::{ReconcilePage, Walk},
    recover::{RecoverPolicy, Recovered},
    release::WriteOutcome,
    renew::{Lost, Renewed},
    report_progress::ProgressOutcome,
    retry::RetryOutcome,
    seal_batch::SealedBatch,
    settle_delivery::Settled,
    steer::{Steer, SteerOutcome},
};
pub use server::ServerInfo;
pub use signals::{Signal, SignalStream};
pub use store::{Held, Store};
pub use task::{TaskRecord, TaskState, Tree, Usage};
pub use timeline::{Bucket, ModelUse, TimelineConfig};
pub use wait::{NewWait, Wait, WaitKey, WaitKind, WaitOutcome, WaitStatus, WaitSubject};
pub use wake::{WaitId, Waiter};
pub use webhook::{Receiver, TaskWebhook, Webhook, WebhookEvent};
