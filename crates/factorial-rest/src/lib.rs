//! The operations of the REST interface, with their event streams and their document.
//!
//! The gateway serves all of them under `/v1`; the dashboard serves the same ones to its page. Invariant: all state is in
//! Redis, so any number of processes serve one namespace.

mod access;
mod agents;
mod answers;
mod app;
mod batch;
mod clock;
mod convert;
mod extract;
mod family;
mod layers;
mod listen;
mod look;
mod metrics;
mod openapi;
mod ownership;
mod refusal;
mod router;
mod routes;
mod schema;
mod stream;
mod submission;

pub use access::{
    Access, AccessError, Caller, Needs, NewSession, guarded, guarded_plain, list_keys, make_key,
    revoke_key,
};
pub use app::AppState;
pub use extract::{Json, Params};
pub use listen::{Tls, TlsError, serve};
pub use look::{Conversation, events_after, shown_task};
pub use metrics::describe as describe_metrics;
pub use openapi::{document as openapi_document, operators_document};
pub use refusal::store_error;
pub use router::{operators_router, router, with_layers};
pub use stream::{OpenReply, Part};
