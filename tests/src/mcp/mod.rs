//! Servers that speak the Model Context Protocol: over HTTP in the test, and over standard input and output as the
//! binary `mcp-tools` beside the tests.

mod http;
mod tools;

pub use http::McpServer;
pub use tools::{McpCall, McpTools, Seen};

use serde_json::{Value, json};

/// The server over standard input and output as an agent file names it.
///
/// # Panics
/// When its binary is missing.
#[must_use]
pub fn mcp_command(name: &str, args: &[&str]) -> Value {
    let program = crate::system::binary("mcp-tools");
    let mut command = vec![program.display().to_string()];
    command.extend(args.iter().map(|arg| (*arg).to_owned()));
    json!({ "kind": "mcp", "name": name, "command": command })
}
