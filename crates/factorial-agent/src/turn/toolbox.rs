//! What a run's model may call: the agent's tools and those of its caller.

use std::borrow::Cow;

use crate::{
    CallerTool, ToolSet, ToolSpec,
    tool::ToolErrorKind,
    tool::{Entry, Outcome},
};

/// The tools of one run.
pub(super) struct Toolbox<'a> {
    own: &'a ToolSet,
    caller: ToolSet,
    specs: Cow<'a, [ToolSpec]>,
}

impl<'a> Toolbox<'a> {
    /// Adds the caller's tools to those of the agent.
    ///
    /// # Errors
    /// What is wrong with a tool of the caller.
    pub(super) fn new(own: &'a ToolSet, caller: &[CallerTool]) -> Result<Self, String> {
        let caller = ToolSet::of_caller(caller, own)?;
        let specs = if caller.specs().is_empty() {
            Cow::Borrowed(own.specs())
        } else {
            Cow::Owned([own.specs(), caller.specs()].concat())
        };
        Ok(Self { own, caller, specs })
    }

    pub(super) fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.own.get(name).or_else(|| self.caller.get(name))
    }

    /// What a call of an unknown tool gives.
    pub(super) fn unknown(&self) -> Outcome {
        let mut known: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
        known.sort_unstable();
        let known = known.join(", ");
        let message = format!("there is no tool of this name; the tools are: {known}");
        Outcome::error(ToolErrorKind::UnknownTool, message)
    }
}
