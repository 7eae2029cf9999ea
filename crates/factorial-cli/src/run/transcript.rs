//! What a task's events mean for somebody who watches it.
//!
//! Pure: events in, cues out; the screen shows them. Invariant: text of a turn that is run again is taken back before
//! new text of that turn comes, so that the text since the last `Restart` is what the model said.

use factorial_api::Event;
use serde_json::Value;

use super::children::Children;
use super::waits::Waits;
use crate::output::{clean_line, duration, millis_of, text_of};

/// What is to be shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cue {
    /// More of the model's text.
    Text(String),
    /// The text shown since the turn began is void, and comes again; why.
    Restart(String),
    /// Text of another turn follows.
    NextTurn,
    /// Something happened that is worth a line.
    Note(Mark, String),
    /// A call needs a yes.
    Asked { call: String },
    /// A call that needed one was decided.
    Decided { call: String },
    /// Nothing needs one any more.
    AllDecided,
    /// A child has ended, and asks nothing any more.
    ChildEnded { task: String },
}

/// The kind of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Started,
    Done,
    Trouble,
    /// Somebody else is asked.
    Deferred,
    /// Good to know.
    Aside,
}

/// The text of the turn that is shown at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    turn: u32,
    attempt: u32,
    /// A later event took it back, and nothing has come since.
    void: Option<&'static str>,
}

/// The events so far.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    shown: Option<Shown>,
    text: String,
    pub(crate) children: Children,
    waits: Waits,
    pub(crate) tool_calls: u32,
    pub(crate) turns: u32,
}

impl Transcript {
    /// The valid text of the last turn.
    pub(crate) fn text(&self) -> &str {
        match &self.shown {
            Some(Shown { void: None, .. }) => &self.text,
            _ => "",
        }
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &Event) -> Vec<Cue> {
        let mut cues = self.children.take(event);
        cues.extend(self.waits.take(event));
        cues.extend(self.run(event));
        cues
    }

    /// What the run itself does.
    fn run(&mut self, event: &Event) -> Vec<Cue> {
        let tool = || clean_line(text_of(event, "tool"));
        match event.event_type.as_str() {
            "progress_update_completion_chunk" => self.chunk(event),
            "progress_update_completion_interrupted" => {
                self.take_back("the model was interrupted by a steering message")
            }
            "progress_update_run_turn_completed" => {
                self.turns = self.turns.max(event.turn);
                vec![]
            }
            "progress_update_tool_action_started" => {
                vec![Cue::Note(Mark::Started, tool())]
            }
            "progress_update_tool_action_completed" => {
                self.tool_calls += 1;
                vec![Cue::Note(Mark::Done, format!("{}{}", tool(), took(event)))]
            }
            "progress_update_tool_action_failed" => {
                self.tool_calls += 1;
                let kind = clean_line(text_of(event, "error_kind"));
                vec![Cue::Note(
                    Mark::Trouble,
                    format!("{} failed: {kind}", tool()),
                )]
            }
            "run_limit_reached" => trouble(format!(
                "limit reached: {}",
                clean_line(text_of(event, "message"))
            )),
            "run_steering_applied" => {
                let n = event.data.get("count").and_then(Value::as_u64).unwrap_or(1);
                vec![Cue::Note(Mark::Done, format!("steering applied ({n})"))]
            }
            "task_retried" => retried(event),
            "task_recovered" => {
                let worker = clean_line(text_of(event, "worker"));
                trouble(format!("worker {worker} was lost; another one goes on"))
            }
            "run_handed_back" => trouble("the worker stops; another one goes on".to_owned()),
            _ => vec![],
        }
    }

    fn chunk(&mut self, event: &Event) -> Vec<Cue> {
        let piece = text_of(event, "text");
        let next = Shown {
            turn: event.turn,
            attempt: event.attempt,
            void: None,
        };
        let mut cues = Vec::new();
        match self.shown.replace(next) {
            Some(before) if before.turn != event.turn => {
                cues.push(Cue::NextTurn);
                self.text.clear();
            }
            Some(Shown {
                void: Some(why), ..
            }) => {
                cues.push(Cue::Restart(why.to_owned()));
                self.text.clear();
            }
            Some(before) if before.attempt != event.attempt => {
                let why = format!(
                    "turn {} is run again by attempt {}",
                    event.turn, event.attempt
                );
                cues.push(Cue::Restart(why));
                self.text.clear();
            }
            _ => {}
        }
        self.text.push_str(piece);
        cues.push(Cue::Text(piece.to_owned()));
        cues
    }

    fn take_back(&mut self, why: &'static str) -> Vec<Cue> {
        if let Some(shown) = &mut self.shown {
            shown.void = Some(why);
        }
        vec![]
    }
}

/// How long a call took, unless its result came from outside.
fn took(event: &Event) -> String {
    match event.data.get("duration_ms").and_then(Value::as_u64) {
        None | Some(0) => String::new(),
        Some(_) => format!(" {}", millis_of(event, "duration_ms")),
    }
}

fn retried(event: &Event) -> Vec<Cue> {
    let Some(seconds) = event.data.get("delay_seconds").and_then(Value::as_f64) else {
        return vec![Cue::Note(
            Mark::Done,
            "tried again by an operator".to_owned(),
        )];
    };
    let delay = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let kind = clean_line(text_of(event, "kind"));
    let message = clean_line(text_of(event, "message"));
    let after = duration(delay);
    trouble(format!(
        "attempt {} failed ({kind}: {message}); tried again in {after}",
        event.attempt
    ))
}

fn trouble(text: String) -> Vec<Cue> {
    vec![Cue::Note(Mark::Trouble, text)]
}

#[cfg(test)]
mod tests {
    use factorial_api::Time;
    use serde_json::json;

    use super::*;

    fn event(event_type: &str, turn: u32, attempt: u32, data: Value) -> Event {
        Event {
            seq: 1,
            event_type: event_type.to_owned(),
            at: Time::from_millis(0),
            task_id: "t".to_owned(),
            owner_id: "o".to_owned(),
            agent: "a".to_owned(),
            turn,
            attempt,
            data,
        }
    }

    fn chunk(turn: u32, attempt: u32, text: &str) -> Event {
        event(
            "progress_update_completion_chunk",
            turn,
            attempt,
            json!({ "text": text }),
        )
    }

    #[test]
    fn text_of_a_turn_that_is_run_again_starts_anew() {
        let mut transcript = Transcript::default();
        assert_eq!(
            transcript.take(&chunk(1, 1, "Hel")),
            [Cue::Text("Hel".to_owned())]
        );
        let lost = event("task_recovered", 1, 1, json!({ "worker": "w" }));
        assert!(matches!(
            &transcript.take(&lost)[0],
            Cue::Note(Mark::Trouble, _)
        ));
        let cues = transcript.take(&chunk(1, 2, "Hello"));
        assert!(
            matches!(&cues[0], Cue::Restart(why) if why.contains("attempt 2")),
            "{cues:?}"
        );
        assert_eq!(cues[1], Cue::Text("Hello".to_owned()));
        assert_eq!(transcript.text(), "Hello");
    }

    #[test]
    fn a_turn_that_was_committed_is_kept() {
        let mut transcript = Transcript::default();
        transcript.take(&chunk(1, 1, "Let me look."));
        let cues = transcript.take(&chunk(2, 2, "Found."));
        assert_eq!(cues, [Cue::NextTurn, Cue::Text("Found.".to_owned())]);
        assert_eq!(transcript.text(), "Found.");
    }

    #[test]
    fn an_interrupted_reply_is_void() {
        let mut transcript = Transcript::default();
        transcript.take(&chunk(1, 1, "No"));
        transcript.take(&event(
            "progress_update_completion_interrupted",
            1,
            1,
            json!({}),
        ));
        assert_eq!(transcript.text(), "");
        let cues = transcript.take(&chunk(1, 1, "Yes"));
        assert!(matches!(cues[0], Cue::Restart(_)), "{cues:?}");
        assert_eq!(transcript.text(), "Yes");
    }

    #[test]
    fn retries_are_told() {
        let data = json!({ "kind": "rate_limited", "message": "slow", "delay_seconds": 1.5 });
        let cues = Transcript::default().take(&event("task_retried", 0, 1, data));
        let Cue::Note(Mark::Trouble, text) = &cues[0] else {
            unreachable!("{cues:?}")
        };
        assert_eq!(
            text,
            "attempt 1 failed (rate_limited: slow); tried again in 1.5 s"
        );
    }
}
