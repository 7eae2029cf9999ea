//! A violation, and the list that the checks fill.

use std::fmt;

/// Which invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every task is in exactly one state and one index.
    OnePlace,
    /// A task ends once, with one terminal event for each run.
    EndsOnce,
    /// Attempts have a start and an end, and their counters fit.
    Attempts,
    /// No key outlives its task, and every other key is known and bounded.
    Belongings,
    /// A task's count of awaited answers is what is outstanding, and somebody will give each.
    Awaited,
    /// Usage is the sum of the committed turns, in a task and over its tree; bytes are those of the conversation.
    Usage,
    /// Each accepted steering message is applied, waiting, or reported.
    Steering,
    /// Events can be read, and their `seq` has no gap.
    Events,
    /// Counters are the numbers that they count.
    Counts,
}

impl Rule {
    /// The number that the fault list gives it.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::OnePlace => "I1",
            Self::EndsOnce => "I2",
            Self::Attempts => "I4",
            Self::Belongings => "I5",
            Self::Awaited => "I6",
            Self::Usage => "I7",
            Self::Steering => "I8",
            Self::Events => "I9",
            Self::Counts => "I10",
        }
    }
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub rule: Rule,
    /// The task, or the key.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.rule.number(),
            self.subject,
            self.problem
        )
    }
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) violations: Vec<Violation>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        subject: impl Into<String>,
        problem: impl Into<String>,
    ) {
        self.violations.push(Violation {
            rule,
            subject: subject.into(),
            problem: problem.into(),
        });
    }

    /// Adds a violation unless two values are the same.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the checks compare what they have just made"
    )]
    pub(super) fn same<T: PartialEq + fmt::Debug>(
        &mut self,
        rule: Rule,
        subject: &str,
        what: &str,
        stored: T,
        real: T,
    ) {
        if stored != real {
            self.add(
                rule,
                subject,
                format!("{what} says {stored:?}, it is {real:?}"),
            );
        }
    }
}
