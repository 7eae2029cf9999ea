//! One file per script of `lua/`: its arguments, its outcomes, the call.

pub(crate) mod answer;
pub(crate) mod backoff;
pub(crate) mod cancel;
pub(crate) mod cancel_batch;
pub(crate) mod cancel_members;
pub(crate) mod cascade;
pub(crate) mod claim;
pub(crate) mod commit;
pub(crate) mod enforce_deadlines;
pub(crate) mod enqueue;
pub(crate) mod expire;
pub(crate) mod expire_batches;
pub(crate) mod expire_waits;
pub(crate) mod finish;
pub(crate) mod open_batch;
pub(crate) mod park;
pub(crate) mod promote;
pub(crate) mod reconcile;
pub(crate) mod recover;
pub(crate) mod release;
pub(crate) mod renew;
pub(crate) mod report_progress;
pub(crate) mod reserve_key;
pub(crate) mod retry;
pub(crate) mod seal_batch;
pub(crate) mod steer;
