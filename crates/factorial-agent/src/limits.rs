//! Hard stops of a run.
//!
//! Checked by the turn loop before each turn. Invariant: a limit is only ever tightened on its way from the agent
//! file to the run, so no submission can outspend the agent's author.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Usage;

/// Turns that a run may take when neither the agent nor the submission says otherwise.
const DEFAULT_MAX_TURNS: u32 = 50;

/// Upper bounds of one run. `None` is no bound, except for turns, see [`Limits::max_turns`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Model calls that may be committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// Input and output tokens together, those of ended descendants included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_tokens: Option<u64>,
    /// Tool calls that may be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tool_calls: Option<u32>,
    /// Seconds of processing; the worker turns it into [`crate::Run::wall_remaining`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wall_seconds: Option<f64>,
    /// US dollars by the agent's price table, those of ended descendants included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

/// What a run has used so far, over all attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Committed turns.
    pub turns: u32,
    /// Their tokens.
    pub usage: Usage,
    /// Tool calls that committed replies asked for.
    pub tool_calls: u32,
    /// Cost in millionths of a US dollar.
    pub cost_usd_micros: u64,
    /// Tokens of the descendants that have ended.
    pub tree_usage: Usage,
    /// Their cost in millionths of a US dollar.
    pub tree_cost_usd_micros: u64,
}

impl Spent {
    pub(crate) fn add_calls(&mut self, calls: usize) {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.tool_calls = self.tool_calls.saturating_add(calls);
    }

    const fn tokens(&self) -> u64 {
        self.usage.total().saturating_add(self.tree_usage.total())
    }

    const fn cost_micros(&self) -> u64 {
        self.cost_usd_micros
            .saturating_add(self.tree_cost_usd_micros)
    }
}

impl Limits {
    /// Turns that may be committed: the limit or 50.
    #[must_use]
    pub fn max_turns(&self) -> u32 {
        self.max_turns.unwrap_or(DEFAULT_MAX_TURNS)
    }

    /// These limits, each replaced by the one of `other` where that is lower; turns are bounded in any case.
    #[must_use]
    pub fn tightened_by(&self, other: &Self) -> Self {
        let own = Self {
            max_turns: Some(self.max_turns()),
            ..*self
        };
        own.lower(other)
    }

    /// The lower of each two limits.
    pub(crate) fn lower(&self, other: &Self) -> Self {
        fn lower<T: PartialOrd>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(if b < a { b } else { a }),
                (a, b) => a.or(b),
            }
        }
        Self {
            max_turns: lower(self.max_turns, other.max_turns),
            max_total_tokens: lower(self.max_total_tokens, other.max_total_tokens),
            max_tool_calls: lower(self.max_tool_calls, other.max_tool_calls),
            max_wall_seconds: lower(self.max_wall_seconds, other.max_wall_seconds),
            max_cost_usd: lower(self.max_cost_usd, other.max_cost_usd),
        }
    }

    /// What a child may use: what is left of the limits that count over the tree. Its turns and tool calls are its own.
    pub(crate) fn left(&self, spent: &Spent, wall: Option<Duration>) -> Self {
        Self {
            max_turns: None,
            max_total_tokens: self
                .max_total_tokens
                .map(|limit| limit.saturating_sub(spent.tokens())),
            max_tool_calls: None,
            max_wall_seconds: wall.map(|wall| wall.as_secs_f64()),
            max_cost_usd: self
                .max_cost_usd
                .map(|limit| (limit - spent.cost_micros() as f64 / 1e6).max(0.0)),
        }
    }

    /// The name and value of a limit that leaves no room for another turn, if there is one.
    pub(crate) fn exhausted_by(&self, spent: &Spent) -> Option<String> {
        let cost_limit = self
            .max_cost_usd
            .filter(|limit| spent.cost_micros() as f64 >= limit * 1e6);
        if spent.turns >= self.max_turns() {
            Some(format!("max_turns ({}) reached", self.max_turns()))
        } else if let Some(limit) = self
            .max_total_tokens
            .filter(|limit| spent.tokens() >= *limit)
        {
            Some(format!("max_total_tokens ({limit}) reached"))
        } else {
            cost_limit.map(|limit| format!("max_cost_usd ({limit}) reached"))
        }
    }

    /// The message for tool calls that would go over their limit, if they would. Calls up to the limit may run.
    pub(crate) fn tool_calls_exceeded_by(&self, spent: &Spent) -> Option<String> {
        let limit = self
            .max_tool_calls
            .filter(|limit| spent.tool_calls > *limit)?;
        Some(format!("max_tool_calls ({limit}) would be exceeded"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_can_only_tighten() {
        let agent = Limits {
            max_turns: Some(10),
            max_cost_usd: Some(1.0),
            ..Limits::default()
        };
        let asked = Limits {
            max_turns: Some(80),
            max_total_tokens: Some(5),
            max_cost_usd: Some(0.5),
            ..Limits::default()
        };
        let merged = agent.tightened_by(&asked);
        assert_eq!(
            (
                merged.max_turns,
                merged.max_total_tokens,
                merged.max_cost_usd
            ),
            (Some(10), Some(5), Some(0.5))
        );
        assert_eq!(
            Limits::default().tightened_by(&asked).max_turns,
            Some(DEFAULT_MAX_TURNS)
        );
    }

    #[test]
    fn a_child_gets_what_is_left_of_what_counts_over_the_tree() {
        let limits = Limits {
            max_turns: Some(3),
            max_total_tokens: Some(100),
            max_tool_calls: Some(3),
            max_cost_usd: Some(1.0),
            max_wall_seconds: Some(60.0),
        };
        let tokens = |input| Usage {
            input,
            ..Usage::default()
        };
        let spent = Spent {
            turns: 2,
            tool_calls: 2,
            usage: tokens(30),
            tree_usage: tokens(20),
            cost_usd_micros: 100_000,
            tree_cost_usd_micros: 150_000,
        };
        let left = limits.left(&spent, Some(Duration::from_secs(7)));
        let expected = Limits {
            max_total_tokens: Some(50),
            max_cost_usd: Some(0.75),
            max_wall_seconds: Some(7.0),
            ..Limits::default()
        };
        assert_eq!(left, expected);
        let over = Spent {
            tree_usage: tokens(70),
            tree_cost_usd_micros: 0,
            ..spent
        };
        assert!(
            limits
                .exhausted_by(&over)
                .is_some_and(|m| m.contains("max_total_tokens"))
        );
        assert_eq!(limits.left(&over, None).max_total_tokens, Some(0));
    }

    #[test]
    fn each_limit_is_named() {
        let limits = Limits {
            max_total_tokens: Some(100),
            max_tool_calls: Some(2),
            max_cost_usd: Some(0.01),
            ..Limits::default()
        };
        let spent = Spent {
            turns: 50,
            ..Spent::default()
        };
        assert!(
            limits
                .exhausted_by(&spent)
                .is_some_and(|m| m.contains("max_turns (50)"))
        );
        let spent = Spent {
            usage: Usage {
                input: 90,
                output: 10,
                ..Usage::default()
            },
            ..Spent::default()
        };
        assert!(
            limits
                .exhausted_by(&spent)
                .is_some_and(|m| m.contains("max_total_tokens (100)"))
        );
        let spent = Spent {
            cost_usd_micros: 10_000,
            ..Spent::default()
        };
        assert!(
            limits
                .exhausted_by(&spent)
                .is_some_and(|m| m.contains("max_cost_usd"))
        );
        assert_eq!(
            limits.tool_calls_exceeded_by(&Spent {
                tool_calls: 2,
                ..Spent::default()
            }),
            None
        );
        assert!(
            limits
                .tool_calls_exceeded_by(&Spent {
                    tool_calls: 3,
                    ..Spent::default()
                })
                .is_some()
        );
        assert_eq!(limits.exhausted_by(&Spent::default()), None);
    }
}
