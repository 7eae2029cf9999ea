//! Typed client of the Factorial gateway.
//!
//! Used by the command line, the load generator and the tests, and by programs of one's own. Invariant: what it sends
//! again after a failure has, on the server, the effect of being sent once.

mod agents;
mod approvals;
mod backoff;
mod batches;
mod builder;
mod client;
mod error;
mod events;
mod feed;
mod follow;
mod keys;
mod results;
mod submit;
mod tasks;
mod tool_calls;
mod tree;
mod wait;
mod webhooks;

pub use backoff::RetryPolicy;
pub use batches::SubmittedBatch;
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::ClientError;
pub use events::Live;
pub use feed::FeedRequest;
pub use submit::Submitted;
pub use tasks::TaskFilter;
pub use tool_calls::AskedFilter;
