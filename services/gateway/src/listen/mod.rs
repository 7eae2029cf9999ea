//! Connections: accepting them, serving them, ending them.

mod accept;
mod connection;
mod stall;

pub(crate) use accept::serve;
