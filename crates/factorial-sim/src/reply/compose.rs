//! The whole reply: decision, words, the faults that change what is said, the client's limit, and the count.
//!
//! Called once a request by the handler. Faults that change only how it is sent are the transport's matter.

use serde_json::Value;

use super::answer::answer;
use super::decide::Decision;
use super::usage;
use super::view::View;
use crate::behaviour::Fault;
use crate::sample::Sampler;
use crate::wire::{Finish, Reply, ToolCall, Usage};

/// A character that no policy says; the transport writes invalid bytes in its place.
pub(crate) const INVALID_MARK: char = '\u{FFFF}';

const REFUSAL: &str = "I'm sorry, I can't help with that.";

pub(crate) fn compose(view: &View<'_, '_>, decision: Decision, fault: Option<&Fault>) -> Reply {
    let hash = view.seed.value();
    let decision = decision.under(fault, view);
    let mut reply = Reply {
        id: format!("chatcmpl-{hash:016x}"),
        model: view.request.model.clone().into_owned(),
        text: String::new(),
        refusal: None,
        calls: Vec::new(),
        finish: Some(Finish::Stop),
        no_choice: false,
        usage: Usage::default(),
    };
    match decision {
        Decision::Answer => reply.text = answer(view),
        Decision::Calls(picked) => {
            reply.calls = calls(view, &picked);
            reply.finish = Some(Finish::ToolCalls);
        }
    }
    if let Some(fault) = fault {
        bend(&mut reply, fault, hash);
    }
    if let Some(limit) = view.request.token_limit() {
        shorten(&mut reply, limit);
    }
    reply.usage = usage::count(view.request, &reply);
    reply
}

fn calls(view: &View<'_, '_>, picked: &[usize]) -> Vec<ToolCall> {
    picked
        .iter()
        .enumerate()
        .filter_map(|(nth, &index)| {
            let function = &view.request.offered().get(index)?.function;
            let seed = view.seed.word(nth as u64);
            let schema: Option<Value> = function
                .parameters
                .and_then(|schema| serde_json::from_str(schema.get()).ok());
            let wanted = view.directives.args.get(function.name.as_ref());
            let arguments = match &schema {
                _ if wanted.is_some() => wanted.map(Value::to_string).unwrap_or_default(),
                Some(schema @ Value::Object(_)) => {
                    Sampler::new(schema, &view.query, seed).sample().to_string()
                }
                _ => "{}".to_owned(),
            };
            Some(ToolCall {
                id: format!("call_{:016x}", seed.value()),
                name: function.name.clone().into_owned(),
                arguments,
            })
        })
        .collect()
}

fn bend(reply: &mut Reply, fault: &Fault, hash: u64) {
    match fault {
        Fault::InvalidArguments => {
            for call in &mut reply.calls {
                call.arguments.pop();
            }
        }
        Fault::UnknownTool => {
            reply.text.clear();
            reply.calls = vec![ToolCall {
                id: format!("call_{hash:016x}"),
                name: "no_such_tool".to_owned(),
                arguments: "{}".to_owned(),
            }];
            reply.finish = Some(Finish::ToolCalls);
        }
        Fault::EmptyChoices => {
            say(reply, String::new());
            reply.no_choice = true;
        }
        Fault::Refusal => {
            say(reply, String::new());
            reply.refusal = Some(REFUSAL.to_owned());
        }
        Fault::ContentFilter => {
            say(reply, String::new());
            reply.finish = Some(Finish::ContentFilter);
        }
        Fault::Length => {
            let half = reply.text.chars().count() / 2;
            let text = reply.text.chars().take(half).collect();
            say(reply, text);
            reply.finish = Some(Finish::Length);
        }
        Fault::InvalidOutput => say(reply, "{\"this is\": not JSON".to_owned()),
        Fault::Huge { bytes } => {
            say(reply, "x".repeat(usize::try_from(*bytes).unwrap_or(0)));
        }
        Fault::NoEnd => reply.finish = None,
        Fault::InvalidUtf8 => match reply.calls.first_mut() {
            Some(call) => call.arguments.push(INVALID_MARK),
            None => reply.text.push(INVALID_MARK),
        },
        Fault::Status { .. }
        | Fault::Disconnect
        | Fault::Cut { .. }
        | Fault::Hang { .. }
        | Fault::MalformedChunk { .. }
        | Fault::ToolLoop => {}
    }
}

/// Makes the reply a text, whatever it was.
fn say(reply: &mut Reply, text: String) {
    reply.text = text;
    reply.calls.clear();
    reply.finish = Some(Finish::Stop);
}

/// Ends the text at the client's limit. Calls stay whole, as half of one is a fault of its own.
fn shorten(reply: &mut Reply, limit: u64) {
    let limit = usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX);
    if let Some((end, _)) = reply.text.char_indices().nth(limit) {
        reply.text.truncate(end);
        reply.finish = reply.finish.map(|_| Finish::Length);
    }
}
