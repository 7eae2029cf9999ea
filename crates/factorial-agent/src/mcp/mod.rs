//! Tools of servers that speak the Model Context Protocol.
//!
//! Built with an agent, asked for its tools by each run. Invariant: a process has one session with a server, which all
//! its tasks share, and it is made again when it breaks; a server that is away stops nobody but those who need it.

mod connection;
mod http;
mod offer;
mod process;
mod result;
mod server;
mod session;
mod supervise;
mod tool;

pub use self::server::McpServers;
pub(crate) use self::{connection::Connection, offer::Offer};
