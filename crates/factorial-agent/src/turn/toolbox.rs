//! What a run's model may call: the agent's tools, those of its servers, and those of its caller.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use crate::{
    CallerTool, ToolSet, ToolSpec,
    tool::ToolErrorKind,
    tool::{Entry, Outcome},
};

/// The tools of one run.
pub(super) struct Toolbox<'a> {
    own: &'a ToolSet,
    served: Vec<Arc<ToolSet>>,
    caller: ToolSet,
    specs: Cow<'a, [ToolSpec]>,
}

impl<'a> Toolbox<'a> {
    /// Adds the tools of servers and of the caller to those of the agent. A name stands for the first that has it.
    ///
    /// # Errors
    /// What is wrong with a tool of the caller.
    pub(super) fn new(
        own: &'a ToolSet,
        served: Vec<Arc<ToolSet>>,
        caller: &[CallerTool],
    ) -> Result<Self, String> {
        let taken = |name: &str| {
            own.get(name).is_some() || served.iter().any(|set| set.get(name).is_some())
        };
        let caller = ToolSet::of_caller(caller, taken)?;
        let mut toolbox = Self {
            own,
            served,
            caller,
            specs: Cow::Borrowed(own.specs()),
        };
        toolbox.specs = toolbox.all_specs();
        Ok(toolbox)
    }

    fn all_specs(&self) -> Cow<'a, [ToolSpec]> {
        let served = self.served.iter().map(|set| set.specs());
        let more: Vec<&[ToolSpec]> = served
            .chain([self.caller.specs()])
            .filter(|specs| !specs.is_empty())
            .collect();
        if more.is_empty() {
            return Cow::Borrowed(self.own.specs());
        }
        let mut names = BTreeSet::new();
        let all = self.own.specs().iter().chain(more.into_iter().flatten());
        let first = all.filter(|spec| names.insert(spec.name.as_str()));
        Cow::Owned(first.cloned().collect())
    }

    pub(super) fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        let served = || self.served.iter().find_map(|set| set.get(name));
        self.own
            .get(name)
            .or_else(served)
            .or_else(|| self.caller.get(name))
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
