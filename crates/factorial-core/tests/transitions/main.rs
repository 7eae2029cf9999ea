//! Tables over the scripts: seed a state, run one transition, compare the whole keyspace.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[macro_use]
mod each;

mod cancel;
mod cascade;
mod claim;
mod commit;
mod damage;
mod deadlines;
mod enqueue;
mod expire;
mod finish;
mod idempotency;
mod memory;
mod parents;
mod promote;
mod property;
mod put_back;
mod reconcile;
mod recover;
mod renew;
mod retry;
mod ring;
mod seed;
mod stale;
mod steer;
mod timeline;
mod wake;
mod world;
