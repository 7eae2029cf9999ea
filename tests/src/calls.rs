//! Numbers of claims that are made by hand.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a new call: larger than all before it in this process.
#[must_use]
pub fn next_call() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
