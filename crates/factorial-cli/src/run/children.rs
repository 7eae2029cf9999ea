//! What a watched task's children do, in few words.
//!
//! Pure: events in, cues out. A few children of a turn get a line each, many are counted. Invariant: of each turn, all
//! children are told of before the task waits for them.

use std::collections::BTreeMap;

use factorial_api::Event;

use super::transcript::{Cue, Mark};
use crate::output::{clean_line, text_of};

/// Most children of one turn that get a line each.
const FEW: usize = 8;
/// Times that a count is told until all have ended.
const STEPS: usize = 10;

/// The children of one turn.
#[derive(Debug, Default)]
struct Turn {
    spawned: usize,
    completed: usize,
    failed: usize,
    cancelled: usize,
    /// Ended ones when the count was told last.
    told: usize,
}

impl Turn {
    fn ended(&self) -> usize {
        self.completed + self.failed + self.cancelled
    }
}

/// A child that has not ended.
#[derive(Debug)]
struct Child {
    agent: String,
    turn: u32,
}

/// All children so far.
#[derive(Debug, Default)]
pub(super) struct Children {
    turns: BTreeMap<u32, Turn>,
    open: BTreeMap<String, Child>,
    /// Accepted, and not told of yet.
    fresh: Vec<(String, String)>,
}

impl Children {
    /// Some have not ended.
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes the next event, whatever it is.
    pub(super) fn take(&mut self, event: &Event) -> Vec<Cue> {
        match event.event_type.as_str() {
            "child_spawned" => {
                self.spawned(event);
                Vec::new()
            }
            "child_ended" => self.ended(event),
            // Other tools of the turn may begin and end while children are still being accepted.
            "run_parked"
            | "progress_update_run_turn_completed"
            | "run_completed"
            | "run_failed"
            | "run_cancelled" => self.tell(),
            _ if self.fresh.len() <= FEW => self.tell(),
            _ => Vec::new(),
        }
    }

    fn spawned(&mut self, event: &Event) {
        let (id, agent) = (
            clean_line(text_of(event, "task_id")),
            clean_line(text_of(event, "agent")),
        );
        self.turns.entry(event.turn).or_default().spawned += 1;
        self.fresh.push((id.clone(), agent.clone()));
        let turn = event.turn;
        self.open.insert(id, Child { agent, turn });
    }

    /// A line for each that was accepted, or how many they are.
    fn tell(&mut self) -> Vec<Cue> {
        let fresh = std::mem::take(&mut self.fresh);
        let many = |turn: &Turn| turn.spawned > FEW;
        let counted = self
            .turns
            .last_key_value()
            .is_some_and(|(_, turn)| many(turn));
        if !counted {
            let line = |(id, agent)| Cue::Note(Mark::Started, format!("{agent} {id}"));
            return fresh.into_iter().map(line).collect();
        }
        let mut agents: BTreeMap<String, u64> = BTreeMap::new();
        for (_, agent) in fresh {
            *agents.entry(agent).or_default() += 1;
        }
        let line = |(agent, n): (String, u64)| {
            let children = if n == 1 { "child" } else { "children" };
            Cue::Note(Mark::Started, format!("{agent}: {n} {children}"))
        };
        let mut cues: Vec<Cue> = agents.into_iter().map(line).collect();
        // Some may have ended meanwhile.
        if let Some(mut turn) = self.turns.last_entry()
            && turn.get().ended() > turn.get().told
        {
            cues.extend(count(turn.get_mut()));
        }
        cues
    }

    fn ended(&mut self, event: &Event) -> Vec<Cue> {
        let task = text_of(event, "task_id").to_owned();
        let mut cues = vec![Cue::ChildEnded { task }];
        cues.extend(self.tell_ended(event));
        cues
    }

    fn tell_ended(&mut self, event: &Event) -> Vec<Cue> {
        let (id, status) = (
            clean_line(text_of(event, "task_id")),
            text_of(event, "status"),
        );
        let child = self.open.remove(&id);
        let turn = child
            .as_ref()
            .and_then(|child| self.turns.get_mut(&child.turn));
        let many = turn.as_ref().is_some_and(|turn| turn.spawned > FEW);
        if let Some(turn) = turn {
            match status {
                "completed" => turn.completed += 1,
                "failed" => turn.failed += 1,
                _ => turn.cancelled += 1,
            }
            if many {
                // Until all were told of, their number is not known.
                return if self.fresh.is_empty() {
                    count(turn)
                } else {
                    Vec::new()
                };
            }
        }
        let mut cues = self.tell();
        let mark = if status == "completed" {
            Mark::Done
        } else {
            Mark::Trouble
        };
        let agent = child.map_or_else(|| "child".to_owned(), |child| child.agent);
        cues.push(Cue::Note(
            mark,
            format!("{agent} {id} {}", clean_line(status)),
        ));
        cues
    }
}

/// How many have ended, if that is worth a line again.
fn count(turn: &mut Turn) -> Vec<Cue> {
    let (ended, all) = (turn.ended(), turn.spawned);
    if ended < all && ended - turn.told < all.div_ceil(STEPS) {
        return Vec::new();
    }
    turn.told = ended;
    let mut text = format!("{ended} of {all} children ended");
    for (n, what) in [(turn.failed, "failed"), (turn.cancelled, "cancelled")] {
        if n > 0 {
            text.push_str(&format!(", {n} {what}"));
        }
    }
    let bad = turn.failed + turn.cancelled > 0;
    let mark = if bad { Mark::Trouble } else { Mark::Done };
    vec![Cue::Note(mark, text)]
}

#[cfg(test)]
mod tests {
    use factorial_api::Time;
    use serde_json::{Value, json};

    use super::*;

    fn event(event_type: &str, data: Value) -> Event {
        Event {
            seq: 1,
            event_type: event_type.to_owned(),
            at: Time::from_millis(0),
            task_id: "t".to_owned(),
            owner_id: "o".to_owned(),
            agent: "a".to_owned(),
            turn: 1,
            attempt: 1,
            data,
        }
    }

    fn spawned(n: usize) -> Event {
        let data = json!({ "task_id": format!("0-{n}"), "agent": "researcher" });
        event("child_spawned", data)
    }

    fn ended(n: usize, status: &str) -> Event {
        let data = json!({ "task_id": format!("0-{n}"), "status": status });
        event("child_ended", data)
    }

    fn texts(cues: Vec<Cue>) -> Vec<String> {
        let text = |cue| match cue {
            Cue::Note(mark, text) => Some(format!("{mark:?} {text}")),
            _ => None,
        };
        cues.into_iter().filter_map(text).collect()
    }

    #[test]
    fn a_few_get_a_line_each() {
        let mut children = Children::default();
        assert!(children.take(&spawned(1)).is_empty());
        assert!(children.take(&spawned(2)).is_empty());
        let told = texts(children.take(&event("run_parked", json!({ "awaiting": 2 }))));
        assert_eq!(told, ["Started researcher 0-1", "Started researcher 0-2"]);
        let told = texts(children.take(&ended(2, "failed")));
        assert_eq!(told, ["Trouble researcher 0-2 failed"]);
        assert!(children.are_open());
        let told = texts(children.take(&ended(1, "completed")));
        assert_eq!(told, ["Done researcher 0-1 completed"]);
        assert!(!children.are_open());
    }

    #[test]
    fn one_that_ends_at_once_is_told_of_before() {
        let mut children = Children::default();
        children.take(&spawned(1));
        let told = texts(children.take(&ended(1, "completed")));
        let expected = ["Started researcher 0-1", "Done researcher 0-1 completed"];
        assert_eq!(told, expected);
    }

    #[test]
    fn many_are_counted() {
        let mut children = Children::default();
        for n in 0..100 {
            assert!(children.take(&spawned(n)).is_empty());
        }
        // Some end before all are accepted.
        assert!(texts(children.take(&ended(0, "completed"))).is_empty());
        let told = texts(children.take(&event("run_parked", json!({ "awaiting": 100 }))));
        assert_eq!(told, ["Started researcher: 100 children"]);
        let mut told = Vec::new();
        for n in 1..100 {
            let status = if n == 50 { "failed" } else { "completed" };
            told.extend(texts(children.take(&ended(n, status))));
        }
        assert_eq!(told.len(), STEPS, "{told:?}");
        assert_eq!(told[0], "Done 10 of 100 children ended");
        assert_eq!(told[9], "Trouble 100 of 100 children ended, 1 failed");
    }

    #[test]
    fn one_that_was_not_seen_is_told_by_its_id() {
        let told = texts(Children::default().take(&ended(7, "cancelled")));
        assert_eq!(told, ["Trouble child 0-7 cancelled"]);
    }
}
