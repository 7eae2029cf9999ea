//! What clients do to tasks in a soak, in turn.

use factorial_api::SubmitTask;

use super::door::Door;

/// One way to use the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Handed in, and left alone.
    Plain,
    /// The same, of an agent with turns and tools.
    Turns,
    /// Cancelled soon after.
    Cancelled,
    /// Given another message while it runs.
    Steered,
    /// To be started later.
    Scheduled,
}

impl Kind {
    /// In the order of the reports.
    pub(crate) const ALL: [Self; 5] = [
        Self::Plain,
        Self::Turns,
        Self::Cancelled,
        Self::Steered,
        Self::Scheduled,
    ];

    /// As reports name its tasks.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Turns => "with turns",
            Self::Cancelled => "cancelled",
            Self::Steered => "steered",
            Self::Scheduled => "scheduled",
        }
    }

    /// The kind of the task at a place in the load: half of them plain.
    pub(crate) fn at(place: u64) -> Self {
        match place % 8 {
            1 => Self::Cancelled,
            3 => Self::Steered,
            5 => Self::Scheduled,
            7 => Self::Turns,
            _ => Self::Plain,
        }
    }
}

/// Agents and queries of the kinds.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    /// Of plain tasks, and of those to be started later.
    pub(crate) plain: (String, String),
    /// Of tasks with turns, and of those that are steered.
    pub(crate) turns: (String, String),
    /// Of tasks that are cancelled.
    pub(crate) long: (String, String),
}

impl Mix {
    /// All of one agent with one query.
    pub(crate) fn of(agent: &str, query: &str) -> Self {
        let one = || (agent.to_owned(), query.to_owned());
        Self {
            plain: one(),
            turns: one(),
            long: one(),
        }
    }

    /// A task of this kind. `delay`: seconds until the start of one to be started later.
    pub(crate) fn task(&self, door: &Door, kind: Kind, delay: f64) -> SubmitTask {
        let (agent, query) = match kind {
            Kind::Plain | Kind::Scheduled => &self.plain,
            Kind::Turns | Kind::Steered => &self.turns,
            Kind::Cancelled => &self.long,
        };
        SubmitTask {
            delay_seconds: (kind == Kind::Scheduled).then_some(delay),
            ..door.task(agent, query)
        }
    }
}
