//! Gathers what is wrong with the lines of a batch, in bounded memory.

use factorial_api::{BatchProblem, FieldError, LineProblem};
use factorial_service::{ApiError, ErrorKind};

use crate::refusal::shorten;

/// Problems that are told; lines are counted beyond it.
const MOST: usize = 20;

/// Bad lines so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    lines: u64,
    first: Vec<LineProblem>,
    unknown_agent: bool,
}

impl Problems {
    /// Notes a bad line with all that is wrong with it.
    pub(super) fn note(&mut self, line: u64, errors: Vec<FieldError>) {
        self.lines += 1;
        let room = MOST.saturating_sub(self.first.len());
        self.first
            .extend(errors.into_iter().take(room).map(|error| LineProblem {
                line,
                pointer: shorten(&error.field),
                // A line has but one line.
                message: error.message.replace(" at line 1 column ", " at column "),
            }));
    }

    /// Notes a line whose agent nobody has announced.
    pub(super) fn note_unknown_agent(&mut self, line: u64, error: FieldError) {
        self.unknown_agent = true;
        self.note(line, vec![error]);
    }

    /// No line was bad so far.
    pub(super) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The refusal. `agents`: those that there are.
    pub(super) fn refusal(self, agents: impl IntoIterator<Item = String>) -> ApiError {
        let lines = if self.lines == 1 {
            "line is"
        } else {
            "lines are"
        };
        let error = ApiError::new(ErrorKind::InvalidBatch)
            .with_detail(format!("{} {lines} not acceptable", self.lines))
            .with_batch(BatchProblem {
                bad_lines: Some(self.lines),
                lines: self.first,
                ..BatchProblem::default()
            });
        if self.unknown_agent {
            error.with_known_agents(agents.into_iter().collect())
        } else {
            error
        }
    }
}
