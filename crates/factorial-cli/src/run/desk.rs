//! The questions that wait for the person who watches a run.
//!
//! Pure: what is asked and decided comes in, and what the person types means something only to the question on the
//! screen. Invariant: a question is asked once, and not after it was decided, by whomever.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use crate::output::{clean_line, cut, one_line};

/// A task and a call.
pub(super) type Key = (String, String);

/// A call that needs a yes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) task_id: String,
    pub(super) call_id: String,
    /// Of another task than the one that is watched.
    pub(super) agent: Option<String>,
    pub(super) tool: String,
    pub(super) arguments: Value,
}

impl Question {
    pub(super) fn key(&self) -> Key {
        (self.task_id.clone(), self.call_id.clone())
    }

    /// The tool, and the task if it is another one.
    pub(super) fn name(&self) -> String {
        let (tool, task) = (clean_line(&self.tool), clean_line(&self.task_id));
        match &self.agent {
            Some(agent) => format!("{tool} of {} {task}", clean_line(agent)),
            None => tool,
        }
    }

    /// What is asked.
    pub(super) fn headline(&self) -> String {
        format!("{} needs a yes", self.name())
    }

    /// What to type elsewhere. `alone`: its task has no other approval open, so that the task is enough.
    pub(super) fn hint(&self, alone: bool) -> String {
        let task = clean_line(&self.task_id);
        let hint = format!("{}: factorial approvals approve {task}", self.headline());
        if alone {
            hint
        } else {
            format!("{hint} {}", clean_line(&self.call_id))
        }
    }

    /// The arguments, in a line of so many columns.
    pub(super) fn arguments_in(&self, columns: usize) -> String {
        format!("  {}\n", cut(&one_line(&self.arguments), columns))
    }
}

/// What the person wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Yes,
    /// With a reason, perhaps an empty one.
    No(String),
    /// A reason is to be asked for.
    Why,
    Later,
    Unclear,
}

/// Questions in the order in which they came; the first one is on the screen.
#[derive(Debug, Default)]
pub(super) struct Desk {
    queue: VecDeque<Question>,
    /// Asked, and neither decided nor gone.
    open: BTreeSet<Key>,
    decided: BTreeSet<Key>,
    /// The person said no, and is asked why.
    why: bool,
}

impl Desk {
    /// Adds a question, unless it is known. Whether it was added.
    pub(super) fn add(&mut self, question: Question) -> bool {
        let key = question.key();
        if self.decided.contains(&key) || !self.open.insert(key) {
            return false;
        }
        self.queue.push_back(question);
        true
    }

    /// A call asks anew: with an agent of another version, its old answer does not count.
    pub(super) fn reopen(&mut self, key: &Key) {
        self.decided.remove(key);
    }

    /// The question that is on the screen.
    pub(super) fn first(&self) -> Option<&Question> {
        self.queue.front()
    }

    /// What a line means to it; a no, yes or later takes it off the screen.
    pub(super) fn hear(&mut self, line: &str) -> Said {
        let line = line.trim();
        if self.why {
            return Said::No(line.to_owned());
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word.to_lowercase().as_str(), rest.trim()) {
            ("y" | "yes", "") => Said::Yes,
            ("n" | "no", "") => {
                self.why = true;
                Said::Why
            }
            ("n" | "no", reason) => Said::No(reason.to_owned()),
            ("l" | "later", "") => Said::Later,
            _ => Said::Unclear,
        }
    }

    /// Takes the first question off the screen; it stays open.
    pub(super) fn next(&mut self) -> Option<Question> {
        self.why = false;
        self.queue.pop_front()
    }

    /// A call was decided. Whether its question was on the screen.
    pub(super) fn close(&mut self, key: Key) -> bool {
        let shown = self.first().is_some_and(|question| question.key() == key);
        self.queue.retain(|question| question.key() != key);
        self.open.remove(&key);
        self.decided.insert(key);
        if shown {
            self.why = false;
        }
        shown
    }

    /// The open questions of tasks that `of` picks.
    pub(super) fn open(&self, of: impl Fn(&str) -> bool) -> Vec<Key> {
        self.open.iter().filter(|key| of(&key.0)).cloned().collect()
    }

    /// Puts a question back whose answer did not arrive.
    pub(super) fn put_back(&mut self, question: Question) {
        self.decided.remove(&question.key());
        self.open.remove(&question.key());
        self.add(question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(call: &str) -> Question {
        Question {
            task_id: "t".to_owned(),
            call_id: call.to_owned(),
            agent: None,
            tool: "publish".to_owned(),
            arguments: Value::Null,
        }
    }

    #[test]
    fn lines_mean_the_question_on_the_screen() {
        let mut desk = Desk::default();
        desk.add(question("a"));
        assert_eq!(desk.hear(" Y "), Said::Yes);
        assert_eq!(desk.hear("later"), Said::Later);
        assert_eq!(desk.hear("n too long"), Said::No("too long".to_owned()));
        for unclear in ["", "yes please", "x", "ny"] {
            assert_eq!(desk.hear(unclear), Said::Unclear, "{unclear}");
        }
        assert_eq!(desk.hear("no"), Said::Why);
        assert_eq!(desk.hear("y"), Said::No("y".to_owned()));
        desk.next();
        desk.add(question("b"));
        assert_eq!(desk.hear("y"), Said::Yes);
    }

    #[test]
    fn a_hint_can_be_typed_as_it_is() {
        let mut question = question("c1");
        let hint = "publish needs a yes: factorial approvals approve t";
        assert_eq!(question.hint(true), hint);
        question.agent = Some("writer".to_owned());
        let hint = "publish of writer t needs a yes: factorial approvals approve t c1";
        assert_eq!(question.hint(false), hint);
    }

    #[test]
    fn a_question_is_asked_once() {
        let mut desk = Desk::default();
        assert!(desk.add(question("a")));
        assert!(!desk.add(question("a")));
        assert!(desk.add(question("b")));
        assert!(!desk.close(question("b").key()));
        assert!(!desk.add(question("b")), "an old look still has it");
        assert!(desk.close(question("a").key()));
        assert_eq!(desk.first(), None);
        desk.reopen(&question("a").key());
        assert!(desk.add(question("a")));
        // Left for later, it stays open.
        desk.next();
        assert!(!desk.add(question("a")));
        assert_eq!(desk.open(|task| task == "t"), [question("a").key()]);
        desk.put_back(question("a"));
        assert_eq!(desk.first(), Some(&question("a")));
    }
}
