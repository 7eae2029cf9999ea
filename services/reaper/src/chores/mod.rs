//! One file per chore.

mod batches;
mod cascade;
mod deadlines;
mod expire;
mod gauges;
mod hours;
mod promote;
mod reconcile;
mod recover;
mod waits;
mod webhooks;

pub(crate) use batches::Batches;
pub(crate) use cascade::Cascade;
pub(crate) use deadlines::Deadlines;
pub(crate) use expire::Expire;
pub(crate) use gauges::Gauges;
pub(crate) use hours::Hours;
pub(crate) use promote::Promote;
pub(crate) use reconcile::Reconcile;
pub(crate) use recover::Recover;
pub(crate) use waits::Waits;
pub(crate) use webhooks::Webhooks;
