//! The harness of Factorial's tests: a real Redis, a namespace of one's own, the whole keyspace as text, and the
//! invariants that every test leaves behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test harness fails by panicking"
)]

mod calls;
mod changes;
mod eventually;
pub mod invariants;
mod keyspace;
mod redis;
mod store;
pub mod system;

pub use calls::next_call;
pub use changes::{Names, changes};
pub use eventually::eventually;
pub use keyspace::{Content, Keyspace, Stored, snapshot};
pub use redis::TestRedis;
pub use store::{StoreSetup, TestStore};
