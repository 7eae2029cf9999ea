//! One tool of an agent, ready to be called.
//!
//! Built by [`super::ToolSet`], asked by the turn loop what a call of it needs.

use std::{sync::Arc, time::Duration};

use jsonschema::Validator;
use serde_json::Value;

use super::{Tool, ToolError, ToolErrorKind, ToolSpec};
use crate::{
    WaitKind,
    definition::{AgentToolDefinition, ApprovalSpec, WaitTimeout},
    output,
};

/// How a call gets its result.
pub(crate) enum Action {
    /// By running the tool here and now.
    Run(Arc<dyn Tool>),
    /// From outside, where it is looked for.
    Ask {
        kind: WaitKind,
        timeout: Option<Duration>,
    },
    /// From outside, after the tool has sent it there.
    Send {
        tool: Arc<dyn Tool>,
        timeout: Option<Duration>,
    },
    /// By child tasks.
    Spawn(Box<AgentToolDefinition>),
}

/// When a call needs a yes.
struct Approval {
    when: Option<Validator>,
    timeout: Option<Duration>,
}

/// A tool with its checks.
pub(crate) struct Entry {
    pub(crate) action: Action,
    /// Whether a call of unknown outcome is reported to the model instead of made again.
    pub(crate) at_most_once: bool,
    validator: Validator,
    approval: Option<Approval>,
}

impl Entry {
    /// Whether some calls need a yes.
    pub(super) fn may_need_approval(&self) -> bool {
        self.approval.is_some()
    }

    pub(super) fn new(
        spec: &ToolSpec,
        action: Action,
        approval: Option<&ApprovalSpec>,
    ) -> Result<Self, String> {
        let compile = |schema, what| {
            output::compile(schema).map_err(|error| format!("tool {}: {what}: {error}", spec.name))
        };
        let approval = match approval {
            None => None,
            Some(spec) => {
                let when = spec.when.as_ref();
                Some(Approval {
                    when: when
                        .map(|schema| compile(schema, "approval.when"))
                        .transpose()?,
                    timeout: WaitTimeout::resolve(spec.timeout_seconds),
                })
            }
        };
        Ok(Self {
            action,
            at_most_once: spec.at_most_once,
            validator: compile(&spec.parameters, "parameters")?,
            approval,
        })
    }

    /// Reads the arguments of a call.
    pub(crate) fn arguments(&self, text: &str) -> Result<Value, ToolError> {
        // Models write nothing at all for a tool without parameters.
        let args = if text.trim().is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_str(text).map_err(|error| {
                ToolError::new(
                    ToolErrorKind::InvalidArguments,
                    format!("the arguments are not valid JSON: {error}"),
                )
            })?
        };
        self.validate(&args)?;
        Ok(args)
    }

    /// Checks arguments against the schema.
    pub(crate) fn validate(&self, args: &Value) -> Result<(), ToolError> {
        let problems = output::problems(&self.validator, args);
        if problems.is_empty() {
            Ok(())
        } else {
            let message = problems.join("; ");
            Err(ToolError::new(ToolErrorKind::InvalidArguments, message))
        }
    }

    /// Whether a call with these arguments needs a yes.
    pub(crate) fn needs_approval(&self, args: &Value) -> bool {
        self.approval.as_ref().is_some_and(|approval| {
            approval
                .when
                .as_ref()
                .is_none_or(|when| when.is_valid(args))
        })
    }

    /// How long a yes is waited for; `None` for ever.
    pub(crate) fn approval_timeout(&self) -> Option<Duration> {
        match &self.approval {
            Some(approval) => approval.timeout,
            None => WaitTimeout::resolve(None),
        }
    }
}
