//! What is to be done next about one call of an open turn.
//!
//! Pure: decided by the tool and by the waits of the call, so that a run that is resumed anywhere goes on rightly.
//! Invariant: what was registered for a call decides before what its tool is now, since an agent may change meanwhile.

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;

use serde_json::Value;

use super::{
    answers, children,
    children::End,
    toolbox::Toolbox,
    waits::{Made, Waits},
};
use crate::{
    Limits, NewChild, NewWait, ToolCall, Wait, WaitKey, WaitKind, WaitOutcome, WaitStatus,
    definition::{AgentToolDefinition, WaitTimeout},
    tool::{Action, Entry, NO_CALLBACK_URL, Outcome, ToolErrorKind},
};

/// The next step of one call.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// Its result is known.
    Give(Outcome),
    /// Run the tool, after taking the approval of a call that must not be made twice.
    Run { args: Value, begin: Option<WaitKey> },
    /// Register this wait; `again` if its earlier answer is void.
    Register { wait: NewWait, again: bool },
    /// Send the deferred call, which is registered.
    Send { args: Value },
    /// Make these children.
    Spawn(Vec<NewChild>),
    /// Somebody else's turn.
    Wait,
}

/// What the decision rests on beside the call.
pub(super) struct View<'a> {
    pub(super) tools: &'a Toolbox<'a>,
    pub(super) waits: &'a Waits,
    /// Of the agent that runs now.
    pub(super) version: &'a str,
    /// Whether the call may have been begun by an earlier run.
    pub(super) resumed: bool,
    /// The submission's free context, for children.
    pub(super) context: &'a Value,
    /// What is left for children.
    pub(super) left: Limits,
    /// Whether the result of a deferred HTTP call could be posted anywhere.
    pub(super) reachable: &'a (dyn Fn(&str) -> bool + Sync),
}

fn give(kind: ToolErrorKind, message: &str) -> Plan {
    Plan::Give(Outcome::error(kind, message))
}

fn unknown_outcome() -> Plan {
    give(
        ToolErrorKind::UnknownOutcome,
        "the call was interrupted; it may have taken effect and is not made again",
    )
}

impl View<'_> {
    /// Decides about a call without a result.
    pub(super) fn plan(&self, call: &ToolCall) -> Plan {
        let entry = self.tools.get(&call.name);
        if let Some(wait) = self.waits.get(&WaitKey::Call(call.id.clone())) {
            return self.deferred(call, entry, wait);
        }
        if self.waits.children(&call.id).next().is_some() {
            return self.parent(call, entry);
        }
        let Some(entry) = entry else {
            return Plan::Give(self.tools.unknown());
        };
        let args = match entry.arguments(&call.arguments) {
            Ok(args) => args,
            Err(error) => return Plan::Give(error.into()),
        };
        if let Some(approval) = self.waits.get(&WaitKey::Approval(call.id.clone())) {
            return self.approval(call, entry, args, approval);
        }
        // Nothing is registered, so an earlier run may have run the tool.
        if self.resumed && entry.at_most_once && matches!(entry.action, Action::Run(_)) {
            return unknown_outcome();
        }
        if let Err(outcome) = self.possible(call, entry, &args) {
            return Plan::Give(outcome);
        }
        if entry.needs_approval(&args) {
            return Plan::Register {
                wait: ask(call, entry),
                again: false,
            };
        }
        self.act(call, entry, args, None)
    }

    /// What is known to fail is not asked a person about.
    fn possible(&self, call: &ToolCall, entry: &Entry, args: &Value) -> Result<(), Outcome> {
        match &entry.action {
            Action::Send { .. } if !(self.reachable)(&call.id) => Err(Outcome::error(
                ToolErrorKind::NoCallbackUrl,
                NO_CALLBACK_URL,
            )),
            Action::Spawn(tool) => children::queries(tool, args)
                .map(drop)
                .map_err(Outcome::from),
            Action::Send { .. } | Action::Run(_) | Action::Ask { .. } => Ok(()),
        }
    }

    /// A call whose approval was asked for.
    fn approval(&self, call: &ToolCall, entry: &Entry, args: Value, wait: &Wait) -> Plan {
        match &wait.status {
            WaitStatus::Open => Plan::Wait,
            WaitStatus::Taken(_) => unknown_outcome(),
            // The yes was to another version of the agent, whose tool may do something else.
            WaitStatus::Answered(WaitOutcome::Approved, _)
                if wait.version.as_deref() != Some(self.version) =>
            {
                Plan::Register {
                    wait: ask(call, entry),
                    again: true,
                }
            }
            WaitStatus::Answered(WaitOutcome::Approved, payload) => {
                let args = match edited(payload) {
                    None => args,
                    Some(edited) => match entry.validate(edited) {
                        Ok(()) => edited.clone(),
                        Err(mut error) => {
                            error.message = format!(
                                "the arguments as approved are not valid: {}",
                                error.message
                            );
                            return Plan::Give(error.into());
                        }
                    },
                };
                if let Err(outcome) = self.possible(call, entry, &args) {
                    return Plan::Give(outcome);
                }
                let begin = entry.at_most_once.then(|| wait.key.clone());
                self.act(call, entry, args, begin)
            }
            WaitStatus::Answered(outcome, payload) => {
                Plan::Give(answers::of_refusal(*outcome, payload))
            }
        }
    }

    /// A call that nothing stands in the way of any more.
    fn act(&self, call: &ToolCall, entry: &Entry, args: Value, begin: Option<WaitKey>) -> Plan {
        let register = |kind, timeout| Plan::Register {
            wait: NewWait {
                key: WaitKey::Call(call.id.clone()),
                kind,
                timeout,
            },
            again: false,
        };
        match &entry.action {
            Action::Run(_) => Plan::Run { args, begin },
            Action::Ask { kind, timeout } => register(*kind, *timeout),
            Action::Send { timeout, .. } => register(WaitKind::Operator, *timeout),
            Action::Spawn(tool) => self.spawn(call, tool, &args),
        }
    }

    /// A deferred call that is registered.
    fn deferred(&self, call: &ToolCall, entry: Option<&Entry>, wait: &Wait) -> Plan {
        match (&wait.status, entry) {
            (WaitStatus::Answered(outcome, payload), _) => {
                Plan::Give(answers::of_call(*outcome, payload))
            }
            (WaitStatus::Taken(_), _) => unknown_outcome(),
            (WaitStatus::Open, Some(entry))
                if matches!(entry.action, Action::Send { .. })
                    && self.waits.to_send(&call.id, entry.at_most_once) =>
            {
                // They were valid when the call was registered; the agent may have changed since.
                match self.arguments(call) {
                    Some(args) => Plan::Send { args },
                    None => Plan::Wait,
                }
            }
            (WaitStatus::Open, _) => Plan::Wait,
        }
    }

    /// A call some of whose children are registered.
    fn parent(&self, call: &ToolCall, entry: Option<&Entry>) -> Plan {
        if let Some(Entry {
            action: Action::Spawn(tool),
            ..
        }) = entry
            && let Some(args) = self.arguments(call)
            && children::queries(tool, &args).is_ok()
        {
            return self.spawn(call, tool, &args);
        }
        // The agent has changed so much that only the children themselves tell what was asked.
        let known: Vec<(u32, &WaitStatus)> = self.waits.children(&call.id).collect();
        let list = known.len() > 1 || known.first().is_some_and(|(index, _)| *index > 0);
        self.ends(
            known.into_iter().map(|(_, status)| ended(status)).collect(),
            list,
        )
    }

    fn spawn(&self, call: &ToolCall, tool: &AgentToolDefinition, args: &Value) -> Plan {
        let queries = match children::queries(tool, args) {
            Ok(queries) => queries,
            Err(error) => return Plan::Give(error.into()),
        };
        let siblings = u32::try_from(queries.len()).unwrap_or(u32::MAX);
        let awaited = tool.awaited || self.waits.children(&call.id).next().is_some();
        let (mut missing, mut ends, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for (index, query) in (0..).zip(queries) {
            let key = WaitKey::Child(call.id.clone(), index);
            if let Some(wait) = self.waits.get(&key) {
                ends.push(ended(&wait.status));
            } else if let Some(known) = self.waits.made(&key) {
                made.push(known);
                if let Made::Refused(kind, message) = known {
                    ends.push(Some(End::Refused(kind, message)));
                }
            } else {
                missing.push(NewChild {
                    call_id: call.id.clone(),
                    index,
                    siblings,
                    agent: tool.agent.to_string(),
                    query,
                    context: self.context.clone(),
                    awaited,
                    timeout: WaitTimeout::resolve(tool.timeout_seconds),
                    max_depth: tool.max_depth(),
                    limits: tool.limits.lower(&self.left),
                });
            }
        }
        let list = tool.fan_out.is_some();
        if !missing.is_empty() {
            Plan::Spawn(missing)
        } else if awaited {
            self.ends(ends, list)
        } else {
            Plan::Give(children::ids(list, &made))
        }
    }

    /// The result of children, once there is none that goes on.
    fn ends(&self, ends: Vec<Option<End<'_>>>, list: bool) -> Plan {
        let Some(ends) = ends.into_iter().collect::<Option<Vec<_>>>() else {
            return Plan::Wait;
        };
        match ends.as_slice() {
            [end] if !list => Plan::Give(children::one(*end)),
            ends => Plan::Give(children::many(ends)),
        }
    }

    /// The arguments of a call that was registered: as approved, or as the model wrote them.
    fn arguments(&self, call: &ToolCall) -> Option<Value> {
        let approval = self.waits.get(&WaitKey::Approval(call.id.clone()));
        if let Some(WaitStatus::Answered(_, payload)) = approval.map(|wait| &wait.status)
            && let Some(edited) = edited(payload)
        {
            return Some(edited.clone());
        }
        match call.arguments.trim() {
            "" => Some(Value::Object(serde_json::Map::new())),
            text => serde_json::from_str(text).ok(),
        }
    }
}

fn ask(call: &ToolCall, entry: &Entry) -> NewWait {
    NewWait {
        key: WaitKey::Approval(call.id.clone()),
        kind: WaitKind::Approval,
        timeout: entry.approval_timeout(),
    }
}

fn edited(payload: &Value) -> Option<&Value> {
    payload.get("arguments").filter(|edited| !edited.is_null())
}

fn ended(status: &WaitStatus) -> Option<End<'_>> {
    match status {
        WaitStatus::Open => None,
        WaitStatus::Answered(outcome, payload) => Some(End::Answered(*outcome, payload)),
        WaitStatus::Taken(outcome) => Some(End::Answered(*outcome, &Value::Null)),
    }
}
