//! A conversation as the reply policy sees it.
//!
//! Built once a request. The *run* is what follows the last final answer: steering adds user messages to it, and a
//! conversation that goes on begins a new one, so that directives of an earlier task do not act for ever.

use std::collections::HashMap;

use super::directives::Directives;
use crate::seed::Seed;
use crate::wire::{ChatRequest, Message, Role};

pub(crate) struct View<'r, 'a> {
    pub(crate) request: &'r ChatRequest<'a>,
    pub(crate) directives: Directives,
    /// Last user text without its directives.
    pub(crate) query: String,
    /// Turns of this run that called tools.
    pub(crate) turns_done: u64,
    pub(crate) last_is_user: bool,
    /// Tool name and result, for each tool message at the end of the conversation.
    pub(crate) results: Vec<(&'r str, &'r str)>,
    /// Hash of the messages.
    pub(crate) seed: Seed,
}

impl<'r, 'a> View<'r, 'a> {
    pub(crate) fn new(request: &'r ChatRequest<'a>) -> Self {
        let messages = request.messages.as_slice();
        let begin = messages
            .iter()
            .rposition(|m| m.role == Role::Assistant && m.calls().is_empty())
            .map_or(0, |index| index + 1);
        let run = messages.get(begin..).unwrap_or_default();

        let mut directives = Directives::default();
        let mut query = String::new();
        for message in run.iter().filter(|m| m.role == Role::User) {
            query = directives
                .take_from(message.content.as_str())
                .trim()
                .to_owned();
        }
        Self {
            request,
            directives,
            query,
            turns_done: run.iter().filter(|m| m.role == Role::Assistant).count() as u64,
            last_is_user: messages.last().is_some_and(|m| m.role == Role::User),
            results: results(messages),
            seed: seed(messages),
        }
    }
}

fn results<'r>(messages: &'r [Message<'_>]) -> Vec<(&'r str, &'r str)> {
    let begin = messages
        .iter()
        .rposition(|m| m.role != Role::Tool)
        .map_or(0, |index| index + 1);
    let answers = messages.get(begin..).unwrap_or_default();
    let names: HashMap<&str, &str> = begin
        .checked_sub(1)
        .and_then(|index| messages.get(index))
        .map(Message::calls)
        .unwrap_or_default()
        .iter()
        .map(|call| (call.id.as_str(), call.function.name.as_str()))
        .collect();
    answers
        .iter()
        .map(|message| {
            let id = message.tool_call_id.as_ref().map_or("", |id| id.as_str());
            let name = names.get(id).copied().unwrap_or("tool");
            (name, message.content.as_str())
        })
        .collect()
}

fn seed(messages: &[Message<'_>]) -> Seed {
    messages.iter().fold(Seed::new(0), |seed, message| {
        let seed = seed
            .word(message.role as u64)
            .bytes(message.content.as_str().as_bytes());
        message.calls().iter().fold(seed, |seed, call| {
            seed.bytes(call.id.as_str().as_bytes())
                .bytes(call.function.name.as_str().as_bytes())
                .bytes(call.function.arguments.as_str().as_bytes())
        })
    })
}
