//! How everything does: what is counted in Redis, put together for people.
//!
//! Used by the operation and by the live topic of the same name. Invariant: what is over does not change, so it is read
//! once; a look costs what happened since the look before.

mod gather;
mod history;
mod percentiles;
mod sums;

pub(crate) use gather::{Overviews, status_counts, time};
