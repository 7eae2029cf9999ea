//! Tables over the scripts: seed a state, run one transition, compare the whole keyspace.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[macro_use]
mod each;

mod answer;
mod asked;
mod asks;
mod batch;
mod cancel;
mod cascade;
mod children;
mod claim;
mod commit;
mod damage;
mod deadlines;
mod enqueue;
mod expire;
mod family;
mod feed;
mod finish;
mod groups;
mod hours;
mod idempotency;
mod injuries;
mod interrupt;
mod list;
mod memory;
mod mend;
mod parents;
mod park;
mod pause;
mod promote;
mod property;
mod put_back;
mod reconcile;
mod recover;
mod renew;
mod retry;
mod ring;
mod seed;
mod spend;
mod stale;
mod steer;
mod timeline;
mod timeouts;
mod tree;
mod wake;
mod webhooks;
mod world;
