//! What must hold of a namespace once the system is quiet, read from Redis and from nothing else.
//!
//! I3 (nothing under a stale token) shows in the others: a stale write would break a count, a log or an event's order.

mod attempts;
mod batches;
mod belongings;
mod counts;
mod ends;
mod places;
mod report;
mod steering;
mod trees;
mod usage;
mod view;
mod waits;
mod webhooks;

pub use report::{Rule, Violation};

use deadpool_redis::redis::Connection;
use factorial_core::Namespace;

use crate::keyspace::{Keyspace, snapshot_all};

/// What does not hold in a namespace, of which these servers have the keys. Blocks.
#[must_use]
pub fn check(raws: &mut [Connection], namespace: &Namespace) -> Vec<Violation> {
    check_keyspace(&snapshot_all(raws, namespace))
}

/// What does not hold in a keyspace.
#[must_use]
pub fn check_keyspace(keyspace: &Keyspace) -> Vec<Violation> {
    let mut report = report::Report::default();
    for partition in view::View::read(keyspace, &mut report).partitions.values() {
        places::check(partition, &mut report);
        ends::check(partition, &mut report);
        attempts::check(partition, &mut report);
        belongings::check(partition, &mut report);
        waits::check(partition, &mut report);
        trees::check(partition, &mut report);
        batches::check(partition, &mut report);
        usage::check(partition, &mut report);
        steering::check(partition, &mut report);
        counts::check(partition, &mut report);
        webhooks::check(partition, &mut report);
    }
    report.violations
}
