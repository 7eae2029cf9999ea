//! The harness of Factorial's tests: a real Redis, a namespace of one's own, the whole keyspace as text, and the
//! invariants that every test leaves behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test harness fails by panicking"
)]

mod calls;
mod changes;
mod cluster;
mod eventually;
pub mod invariants;
mod keyspace;
pub mod mcp;
mod redis;
mod secured;
mod sentinel;
mod served;
mod store;
pub mod system;

pub use calls::next_call;
pub use changes::{Names, changes};
pub use cluster::{NodeView, TestCluster};
pub use eventually::eventually;
pub use keyspace::{Content, Keyspace, Stored, snapshot, snapshot_all};
pub use redis::TestRedis;
pub use secured::{PASSWORD, TestSecured};
pub use sentinel::TestSentinels;
pub use served::Served;
pub use store::{StoreSetup, TestStore};
