//! The tools of one agent.
//!
//! Built with the agent, used by the turn loop. Invariant: a name stands for one tool.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    HttpTool, Tool, ToolSpec,
    entry::{Action, Entry},
};
use crate::{
    CallerTool, Resources, WaitKind,
    definition::{ApprovalSpec, Asks, HttpToolDefinition, ToolDefinition, WaitTimeout},
    mcp::Offer,
    turn::unknown_function,
};

/// Tools by name.
#[derive(Default)]
pub struct ToolSet {
    specs: Vec<ToolSpec>,
    tools: BTreeMap<String, Entry>,
    /// Of servers, which say themselves what their tools are.
    offers: Vec<Offer>,
}

impl std::fmt::Debug for ToolSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

impl ToolSet {
    /// The tools in the order in which they are offered; each is run when it is called.
    ///
    /// # Errors
    /// A name that is not one or stands twice, or a schema that is not one.
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Result<Self, String> {
        let mut set = Self::default();
        for tool in tools {
            set.add(tool, None)?;
        }
        Ok(set)
    }

    /// Offers one more tool, whose calls may need a person's yes.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn add(
        &mut self,
        tool: Arc<dyn Tool>,
        approval: Option<&ApprovalSpec>,
    ) -> Result<(), String> {
        let spec = tool.spec().clone();
        self.insert(spec, Action::Run(tool), approval)
    }

    /// Offers the tool that an agent file defines: also other agents, and calls that are answered from outside.
    ///
    /// # Errors
    /// As [`Self::new`]; an unknown function, a missing secret, or a bad URL.
    pub fn define(
        &mut self,
        definition: &ToolDefinition,
        resources: &Resources,
    ) -> Result<(), String> {
        let approval = definition.approval();
        match definition {
            ToolDefinition::Function { name, .. } => match resources.functions.get(name) {
                Some(tool) => self.add(tool, approval),
                None => Err(unknown_function(name, &resources.functions)),
            },
            ToolDefinition::Http(http) => self.define_http(http, resources),
            ToolDefinition::Agent(agent) => {
                let spec = ToolSpec::new(agent.name(), &agent.description, agent.parameters());
                self.insert(spec, Action::Spawn(Box::new(agent.clone())), approval)
            }
            ToolDefinition::Deferred(tool) => {
                let spec = ToolSpec::new(&tool.name, &tool.description, tool.parameters.clone());
                let kind = match tool.asks {
                    Asks::Caller => WaitKind::Caller,
                    Asks::Operator => WaitKind::Operator,
                };
                let timeout = WaitTimeout::resolve(tool.timeout_seconds);
                self.insert(spec, Action::Ask { kind, timeout }, approval)
            }
            ToolDefinition::Mcp(server) => {
                self.offers.push(Offer::new(server, resources)?);
                Ok(())
            }
        }
    }

    fn define_http(
        &mut self,
        http: &HttpToolDefinition,
        resources: &Resources,
    ) -> Result<(), String> {
        let tool: Arc<dyn Tool> =
            Arc::new(HttpTool::new(http, &resources.providers, &resources.http)?);
        let spec = tool.spec().clone();
        let action = if http.deferred {
            let timeout = WaitTimeout::resolve(http.answer_timeout_seconds);
            Action::Send { tool, timeout }
        } else {
            Action::Run(tool)
        };
        self.insert(spec, action, http.approval.as_ref())
    }

    /// Whether some of its tools are those of servers.
    pub(crate) fn is_served(&self) -> bool {
        !self.offers.is_empty()
    }

    /// The tools of its servers, as they are now.
    ///
    /// # Errors
    /// Which server is away, and why.
    pub(crate) async fn served(&self) -> Result<Vec<Arc<Self>>, String> {
        let mut served = Vec::with_capacity(self.offers.len());
        for offer in &self.offers {
            served.push(offer.tools().await?);
        }
        Ok(served)
    }

    /// The tools that a submission declares, but for those whose name is `taken`.
    pub(crate) fn of_caller(
        tools: &[CallerTool],
        taken: impl Fn(&str) -> bool,
    ) -> Result<Self, String> {
        let mut set = Self::default();
        for tool in tools {
            if taken(&tool.name) {
                continue;
            }
            let spec = ToolSpec::new(&tool.name, &tool.description, tool.parameters.clone());
            let action = Action::Ask {
                kind: WaitKind::Caller,
                timeout: tool.timeout,
            };
            set.insert(spec, action, None)?;
        }
        Ok(set)
    }

    fn insert(
        &mut self,
        spec: ToolSpec,
        action: Action,
        approval: Option<&ApprovalSpec>,
    ) -> Result<(), String> {
        if !is_tool_name(&spec.name) {
            return Err(format!(
                "tool name {:?}: 1 to 64 of letters, digits, `_` and `-`",
                spec.name
            ));
        }
        if self.tools.contains_key(&spec.name) {
            return Err(format!("tool {} stands twice", spec.name));
        }
        let entry = Entry::new(&spec, action, approval)?;
        self.tools.insert(spec.name.clone(), entry);
        self.specs.push(spec);
        Ok(())
    }

    /// JSON Schemas of the arguments of those tools whose calls may need a yes, by name.
    pub(crate) fn approval_schemas(&self) -> BTreeMap<String, Value> {
        let asks = |spec: &&ToolSpec| self.get(&spec.name).is_some_and(Entry::may_need_approval);
        let specs = self.specs.iter().filter(asks);
        let mut schemas: BTreeMap<String, Value> = specs
            .map(|spec| (spec.name.clone(), spec.parameters.clone()))
            .collect();
        for offer in &self.offers {
            schemas.extend(offer.known_tools().approval_schemas());
        }
        schemas
    }

    /// What is offered to the model.
    #[must_use]
    pub fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    /// The tool of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.tools.get(name)
    }
}

fn is_tool_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
}
