//! A Redis-compatible engine inside this process, on a thread of its own.
//!
//! The commands are a library's; the sockets, the loop and the snapshot's times are
//! ours. It differs from a server in what matters here as follows, and
//! `tests/contract.rs` holds the two side by side:
//! - no append-only file: what came after the last snapshot is lost by a kill;
//! - a value takes at most about 1.9 MB, and a longer one is refused; a *set member*
//!   over 64 KiB ends the engine;
//! - no script flags (`#!lua …`), and no `CLIENT UNBLOCK`, `CLIENT TRACKING`,
//!   `SLOWLOG`, `LATENCY`;
//! - under `maxmemory`, a script that has already written is still refused;
//! - a script that never ends cannot be interrupted.

mod event_loop;
mod listener;
mod peers;
mod store;
mod thread;

pub(crate) use thread::EmbeddedServer;
