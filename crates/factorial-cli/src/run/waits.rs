//! What a watched task waits for besides its children, in few words.
//!
//! Pure: events in, cues out. Invariant: a question that was asked is closed by a later cue, however it is decided.

use std::collections::BTreeMap;

use factorial_api::Event;
use serde_json::Value;

use super::transcript::{Cue, Mark};
use crate::output::{clean_line, plural, text_of};

/// The calls that were asked for, and are not answered.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// The tool, by the id of the call.
    tools: BTreeMap<String, String>,
}

impl Waits {
    /// Takes the next event, whatever it is.
    pub(super) fn take(&mut self, event: &Event) -> Vec<Cue> {
        let call = clean_line(text_of(event, "call_id"));
        match event.event_type.as_str() {
            "tool_call_deferred" => {
                let tool = self.learn(event, &call);
                let task = clean_line(&event.task_id);
                let (whom, option) = match text_of(event, "asks") {
                    "operator" => ("an operator", "--text …"),
                    _ => ("the caller", "--result JSON"),
                };
                let text = format!(
                    "{tool} waits for {whom}: factorial tasks answer {task} {call} {option}"
                );
                note(Mark::Deferred, text)
            }
            "approval_requested" => {
                self.learn(event, &call);
                vec![Cue::Asked { call }]
            }
            "approval_granted" => self.decided(event, call, Mark::Done, "approved"),
            "approval_denied" => self.decided(event, call, Mark::Trouble, "denied"),
            "tool_call_answered" => {
                let (mark, verb) = match text_of(event, "outcome") {
                    "error" => (Mark::Trouble, "answered with an error"),
                    _ => (Mark::Done, "answered"),
                };
                let tool = self.forget(&call);
                note(mark, format!("{tool} {verb}{}", by(event)))
            }
            "progress_update_tool_action_progress" => self.progress(event, &call),
            "wait_expired" => self.expired(event),
            "run_parked" => {
                let n = event.data.get("awaiting").and_then(Value::as_u64);
                let text = format!("waits for {}", plural(n.unwrap_or_default(), "answer"));
                note(Mark::Aside, text)
            }
            // Nothing is awaited any more, perhaps because somebody interrupted it.
            "run_unparked" => {
                self.tools.clear();
                vec![
                    Cue::AllDecided,
                    Cue::Note(Mark::Aside, "goes on".to_owned()),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn learn(&mut self, event: &Event, call: &str) -> String {
        let tool = clean_line(text_of(event, "tool"));
        self.tools.insert(call.to_owned(), tool.clone());
        tool
    }

    /// The tool of a call; the call itself when its beginning was not seen.
    fn forget(&mut self, call: &str) -> String {
        self.tools.remove(call).unwrap_or_else(|| call.to_owned())
    }

    fn decided(&mut self, event: &Event, call: String, mark: Mark, verb: &str) -> Vec<Cue> {
        let text = format!("{} {verb}{}", self.forget(&call), by(event));
        vec![Cue::Decided { call }, Cue::Note(mark, text)]
    }

    fn progress(&self, event: &Event, call: &str) -> Vec<Cue> {
        let tool = self.tools.get(call).map_or(call, String::as_str);
        let mut text = format!("{tool}:");
        if let Some(part) = event.data.get("progress").and_then(Value::as_f64) {
            text.push_str(&format!(" {:.0} %", part * 100.0));
        }
        let message = text_of(event, "message");
        if !message.is_empty() {
            text.push_str(&format!(" {}", clean_line(message)));
        }
        if text.ends_with(':') {
            // Data for programs alone.
            return Vec::new();
        }
        note(Mark::Aside, text)
    }

    fn expired(&mut self, event: &Event) -> Vec<Cue> {
        let key = clean_line(text_of(event, "wait"));
        match (text_of(event, "kind"), key.strip_prefix("a:")) {
            ("approval", Some(call)) => {
                let text = format!("nobody decided on {} in time", self.forget(call));
                let call = call.to_owned();
                vec![Cue::Decided { call }, Cue::Note(Mark::Trouble, text)]
            }
            ("child", _) => {
                let text = "a child did not end in time, and is not waited for any more";
                note(Mark::Trouble, text.to_owned())
            }
            _ => {
                let text = format!("nobody answered {} in time", self.forget(&key));
                note(Mark::Trouble, text)
            }
        }
    }
}

fn note(mark: Mark, text: String) -> Vec<Cue> {
    vec![Cue::Note(mark, text)]
}

/// Who it was, if that is known.
fn by(event: &Event) -> String {
    match text_of(event, "by") {
        "" => String::new(),
        who => format!(" by {}", clean_line(who)),
    }
}

#[cfg(test)]
mod tests {
    use factorial_api::Time;
    use serde_json::json;

    use super::*;

    fn take(waits: &mut Waits, event_type: &str, data: Value) -> Vec<Cue> {
        waits.take(&Event {
            seq: 1,
            event_type: event_type.to_owned(),
            at: Time::from_millis(0),
            task_id: "0-1".to_owned(),
            owner_id: "o".to_owned(),
            agent: "a".to_owned(),
            turn: 1,
            attempt: 1,
            data,
        })
    }

    fn text(cues: &[Cue]) -> &str {
        match cues.last() {
            Some(Cue::Note(_, text)) => text,
            _ => "",
        }
    }

    #[test]
    fn a_deferred_call_says_how_to_answer_it() {
        let mut waits = Waits::default();
        let data = json!({ "tool": "ask_legal", "call_id": "c1", "asks": "operator" });
        let cues = take(&mut waits, "tool_call_deferred", data);
        let expected = "ask_legal waits for an operator: factorial tasks answer 0-1 c1 --text …";
        assert_eq!(text(&cues), expected);
        let data = json!({ "call_id": "c1", "progress": 0.4, "message": "reading" });
        let cues = take(&mut waits, "progress_update_tool_action_progress", data);
        assert_eq!(text(&cues), "ask_legal: 40 % reading");
        let data = json!({ "call_id": "c1", "outcome": "result", "by": "ana" });
        let cues = take(&mut waits, "tool_call_answered", data);
        assert_eq!(text(&cues), "ask_legal answered by ana");
    }

    #[test]
    fn an_approval_is_asked_and_closed() {
        let mut waits = Waits::default();
        let data = json!({ "tool": "publish", "call_id": "c1" });
        let cues = take(&mut waits, "approval_requested", data);
        let call = "c1".to_owned();
        assert_eq!(cues, [Cue::Asked { call }]);
        let data = json!({ "call_id": "c1", "outcome": "denied", "by": "ana" });
        let cues = take(&mut waits, "approval_denied", data);
        assert!(
            matches!(&cues[0], Cue::Decided { call } if call == "c1"),
            "{cues:?}"
        );
        assert_eq!(text(&cues), "publish denied by ana");
    }

    #[test]
    fn what_expires_is_named() {
        let mut waits = Waits::default();
        let data = json!({ "tool": "publish", "call_id": "c1" });
        take(&mut waits, "approval_requested", data);
        let cues = take(
            &mut waits,
            "wait_expired",
            json!({ "wait": "a:c1", "kind": "approval" }),
        );
        assert!(
            matches!(&cues[0], Cue::Decided { call } if call == "c1"),
            "{cues:?}"
        );
        assert_eq!(text(&cues), "nobody decided on publish in time");
        let cues = take(
            &mut waits,
            "wait_expired",
            json!({ "wait": "c2", "kind": "caller" }),
        );
        assert_eq!(text(&cues), "nobody answered c2 in time");
        let cues = take(&mut waits, "run_parked", json!({ "awaiting": 3 }));
        assert_eq!(text(&cues), "waits for 3 answers");
    }
}
