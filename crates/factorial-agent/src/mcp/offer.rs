//! What an agent offers of a server.
//!
//! Invariant: names fit the pattern that providers ask for, and are those of an earlier list as far as it has them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::model::Tool as RemoteTool;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{connection::Connection, server::Server, tool::McpTool};
use crate::{
    Resources,
    definition::McpDefinition,
    tool::{DEFAULT_MAX_RESPONSE_BYTES, DEFAULT_TIMEOUT, ToolSet, ToolSpec},
};

/// Longest name that providers take.
const MAX_NAME_BYTES: usize = 64;
/// Longest description that is passed on.
const MAX_DESCRIPTION_BYTES: usize = 10_000;

/// A list, and what was made of it.
type Made = (Arc<Vec<RemoteTool>>, Arc<ToolSet>);

/// The tools of one server as one agent offers them.
pub(crate) struct Offer {
    definition: McpDefinition,
    server: Arc<Server>,
    made: Mutex<Option<Made>>,
}

impl Offer {
    /// Begins to connect to the server.
    ///
    /// # Errors
    /// What is wrong with the definition, in words.
    pub(crate) fn new(definition: &McpDefinition, resources: &Resources) -> Result<Self, String> {
        let connection = Connection::new(definition, &resources.providers)?;
        Ok(Self {
            definition: definition.clone(),
            server: resources.mcp.get(connection, &resources.http),
            made: Mutex::default(),
        })
    }

    /// What is offered now.
    ///
    /// # Errors
    /// Why there is no session with the server.
    pub(crate) async fn tools(&self) -> Result<Arc<ToolSet>, String> {
        let tools = self.server.tools().await;
        let tools = tools.map_err(|why| format!("MCP server {}: {why}", self.definition.name))?;
        Ok(self.set(tools))
    }

    /// What was offered last.
    pub(crate) fn known_tools(&self) -> Arc<ToolSet> {
        self.set(self.server.known_tools())
    }

    fn set(&self, tools: Arc<Vec<RemoteTool>>) -> Arc<ToolSet> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, set)) = &*made
            && Arc::ptr_eq(of, &tools)
        {
            return Arc::clone(set);
        }
        let set = Arc::new(self.make(&tools));
        *made = Some((tools, Arc::clone(&set)));
        set
    }

    fn make(&self, tools: &[RemoteTool]) -> ToolSet {
        let definition = &self.definition;
        let mut set = ToolSet::default();
        let mut missing: BTreeSet<&str> = definition
            .include
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();
        for tool in tools {
            if definition.include.is_some() && !missing.remove(&*tool.name) {
                continue;
            }
            let added = set.add(Arc::new(self.tool(tool)), definition.approval.as_ref());
            if let Err(why) = added {
                tracing::warn!(
                    mcp.name = definition.name,
                    error = why,
                    "a tool of an mcp server cannot be offered"
                );
            }
        }
        if !missing.is_empty() && !tools.is_empty() {
            tracing::warn!(
                mcp.name = definition.name,
                ?missing,
                "an mcp server lacks tools that an agent includes"
            );
        }
        set
    }

    fn tool(&self, tool: &RemoteTool) -> McpTool {
        let definition = &self.definition;
        let name = name(&definition.name, &tool.name);
        let description = tool.description.as_deref().unwrap_or_default();
        let end = description.floor_char_boundary(MAX_DESCRIPTION_BYTES);
        let timeout = definition
            .timeout_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(DEFAULT_TIMEOUT);
        let mut spec = ToolSpec::new(name, &description[..end], parameters(tool));
        spec.timeout = timeout;
        spec.at_most_once = definition.at_most_once;
        McpTool {
            spec,
            remote: tool.name.to_string(),
            max_response_bytes: definition
                .max_response_bytes
                .unwrap_or(DEFAULT_MAX_RESPONSE_BYTES),
            server: Arc::clone(&self.server),
        }
    }
}

/// The schema of the arguments; some providers refuse one without type and properties.
fn parameters(tool: &RemoteTool) -> Value {
    let mut schema = (*tool.input_schema).clone();
    schema.entry("type").or_insert_with(|| json!("object"));
    schema.entry("properties").or_insert_with(|| json!({}));
    Value::Object(schema)
}

/// `<server>__<tool>` with `_` for what providers refuse, and an end that tells it apart if it is too long.
fn name(server: &str, tool: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let name = format!("{server}__{}", tool.chars().map(plain).collect::<String>());
    if name.len() <= MAX_NAME_BYTES {
        return name;
    }
    let digest = hex::encode(&Sha256::digest(tool)[..4]);
    format!("{}_{digest}", &name[..MAX_NAME_BYTES - 1 - digest.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_providers_pattern() {
        assert_eq!(name("files", "read_file"), "files__read_file");
        assert_eq!(name("files", "admin/list.é"), "files__admin_list__");
        let (a, b) = ("x".repeat(100), "x".repeat(101));
        let (a, b) = (name("files", &a), name("files", &b));
        assert!(a.len() == 64 && b.len() == 64 && a != b, "{a} {b}");
    }
}
