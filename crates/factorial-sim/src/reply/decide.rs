//! Tool calls or an answer?
//!
//! Asked by the handler before a fault is chosen, since a fault may be meant for one kind of reply only.

use super::view::View;
use crate::behaviour::{Fault, ReplyKind};
use crate::wire::{Tool, ToolChoice, ToolMode};

/// Most tool calls in one turn.
const MAX_CALLS: usize = 128;

/// What the reply will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Answer,
    /// Calls of the offered tools at these positions.
    Calls(Vec<usize>),
}

impl Decision {
    pub(crate) fn kind(&self) -> ReplyKind {
        match self {
            Self::Answer => ReplyKind::Text,
            Self::Calls(_) => ReplyKind::ToolCall,
        }
    }

    /// The decision under a fault that needs a tool call where there would be none.
    pub(crate) fn under(self, fault: Option<&Fault>, view: &View<'_, '_>) -> Self {
        let forced = matches!(fault, Some(Fault::ToolLoop | Fault::InvalidArguments));
        if forced && self == Self::Answer && !view.request.offered().is_empty() {
            Self::Calls(chosen(view))
        } else {
            self
        }
    }
}

/// A tool call after a user message, an answer after tool results, unless request or directives say otherwise.
pub(crate) fn decide(view: &View<'_, '_>) -> Decision {
    let offered = view.request.offered();
    if offered.is_empty() {
        return Decision::Answer;
    }
    match &view.request.tool_choice {
        Some(ToolChoice::Mode(ToolMode::None)) => return Decision::Answer,
        Some(ToolChoice::Mode(ToolMode::Required)) => return Decision::Calls(chosen(view)),
        Some(ToolChoice::Named { function }) => {
            let named = offered
                .iter()
                .position(|t| t.function.name == function.name);
            return named.map_or(Decision::Answer, |index| Decision::Calls(vec![index]));
        }
        Some(ToolChoice::Mode(ToolMode::Auto)) | None => {}
    }
    let wishes = &view.directives;
    let calls = match wishes.turns {
        Some(turns) => view.turns_done < turns,
        None => view.last_is_user && !wishes.noop && wishes.reply.is_none(),
    };
    if calls {
        Decision::Calls(chosen(view))
    } else {
        Decision::Answer
    }
}

/// The tools whose names occur in the query, in its order, then those whose arguments are given, else the first.
fn chosen(view: &View<'_, '_>) -> Vec<usize> {
    let mut named: Vec<(usize, usize)> = view
        .request
        .offered()
        .iter()
        .enumerate()
        .filter_map(|(index, tool)| {
            let given = view
                .directives
                .args
                .contains_key(tool.function.name.as_ref());
            let place = mention(&view.query, tool).or(given.then_some(usize::MAX))?;
            Some((place, index))
        })
        .collect();
    named.sort_unstable();
    let mut picked: Vec<usize> = named.into_iter().map(|(_, index)| index).collect();
    if picked.is_empty() {
        picked.push(0);
    }
    let wanted = if view.request.parallel_tool_calls == Some(false) {
        1
    } else {
        view.directives
            .calls
            .unwrap_or(picked.len())
            .clamp(1, MAX_CALLS)
    };
    picked.into_iter().cycle().take(wanted).collect()
}

/// Where the query mentions the tool as a word of its own.
fn mention(query: &str, tool: &Tool<'_>) -> Option<usize> {
    let name = tool.function.name.as_ref();
    let joins = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    query
        .match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !query[..at].ends_with(joins) && !query[at + name.len()..].starts_with(joins))
}
