//! Connections: accepting them, serving them, ending them.

mod accept;
mod connection;
mod stall;
mod tls;

pub use accept::serve;
pub use tls::{Tls, TlsError};
