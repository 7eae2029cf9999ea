//! The whole system as it is deployed: the real binaries as processes, a real Redis, a simulated model, tools over HTTP.
//!
//! Used by tests of faults, which kill, freeze and restart its parts. Invariant: nothing that is started here outlives
//! the test, and a test ends with [`System::finish`], which waits until the system is quiet and checks the invariants.

mod admin;
mod agents;
mod binaries;
mod calls;
mod front;
mod look;
mod process;
mod proxy;
mod runs;
mod setup;
mod tools;
mod whole;

pub use agents::{agent, function_tool};
pub(crate) use binaries::binary;
pub use front::{Refusal, ask};
pub use process::Process;
pub use proxy::Proxy;
pub use runs::{Leg, legs};
pub use setup::Setup;
pub use tools::{ToolCall, ToolServer};
pub use whole::{System, unix_ms};
