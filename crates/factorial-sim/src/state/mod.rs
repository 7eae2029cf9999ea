//! What the server remembers: counters, the last requests, and the behaviour asked for.

mod flight;
mod record;
mod schedule;
mod shared;
mod stats;

pub(crate) use flight::Flight;
pub use record::RequestRecord;
pub(crate) use record::Seen;
pub(crate) use schedule::{Source, Verdict};
pub(crate) use shared::Shared;
pub use stats::Stats;
