//! Connections: accepting them, serving them, ending them.

mod accept;
mod connection;
mod stall;

pub use accept::serve;
