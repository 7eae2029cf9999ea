//! Which tasks a list shows.

use std::collections::BTreeMap;

use ulid::Ulid;

use crate::{
    ids::{AgentName, BatchId, Partition, TaskId, WorkerId},
    owners::Owners,
    task::{TaskRecord, TaskState},
};

/// Which tasks; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Only theirs.
    pub owners: Owners,
    /// Whoever reads the list must not learn of others: it is read from the indexes of `owners` alone, so that no cursor
    /// names a task of anybody else.
    pub private: bool,
    /// Only this agent's.
    pub agent: Option<AgentName>,
    /// Only in one of these states; none: in any.
    pub states: Vec<TaskState>,
    /// Only members of this batch.
    pub batch: Option<BatchId>,
    /// Only with this text in their id, or in a key or value of their metadata; upper and lower case are the same.
    pub text: Option<String>,
    /// Only made at this time or later, ms since the Unix epoch, as their ids say.
    pub from_ms: Option<u64>,
    /// Only made before this time, ms since the Unix epoch, as their ids say.
    pub before_ms: Option<u64>,
    /// Only ended at this time or later, ms since the Unix epoch, by Redis.
    pub ended_from_ms: Option<u64>,
    /// Only ended before this time, ms since the Unix epoch, by Redis.
    pub ended_before_ms: Option<u64>,
    /// Only held by this worker.
    pub worker: Option<WorkerId>,
}

/// Fields of a task that a filter may have to read.
const FIELDS: [&str; 7] = [
    "state", "agent", "owner", "batch", "metadata", "finished", "worker",
];
/// Ids are named by the clocks of gateways, which follow that of Redis so closely, ms.
const CLOCKS_APART: u64 = 60_000;

/// What an index says of all that it holds, so that it need not be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) state: bool,
    pub(super) agent: bool,
    pub(super) owner: bool,
    pub(super) ended: bool,
}

impl ListFilter {
    /// The task whose id was searched for.
    pub(super) fn id(&self) -> Option<TaskId> {
        self.text.as_deref()?.trim().to_lowercase().parse().ok()
    }

    /// The parts of the list, one behind the other: those that wait, those that run, those that have ended, in the order in
    /// which tasks go through them, so that one that goes on in the meantime is met later rather than never.
    pub(super) fn parts(&self) -> Vec<Self> {
        let ended = self.ended_from_ms.is_some() || self.ended_before_ms.is_some();
        let all = self.states.is_empty();
        if all && !ended && self.worker.is_none() {
            return vec![self.clone()];
        }
        let wanted = TaskState::ALL.into_iter().filter(|state| {
            (all || self.states.contains(state))
                && (!ended || state.is_terminal())
                && (self.worker.is_none() || *state == TaskState::Processing)
        });
        let wanted: Vec<TaskState> = wanted.collect();
        let in_part = |state: &TaskState| match state {
            TaskState::Processing => 1,
            state if state.is_terminal() => 2,
            _ => 0,
        };
        let part = |states| Self {
            states,
            ..self.clone()
        };
        let parts: Vec<Vec<TaskState>> = if self.batch.is_some() {
            // Read by id, whatever their state.
            vec![wanted]
        } else {
            let of = |n| {
                wanted
                    .iter()
                    .copied()
                    .filter(move |state| in_part(state) == n)
            };
            (0..3).map(|n| of(n).collect()).collect()
        };
        let parts = parts.into_iter().filter(|states| !states.is_empty());
        parts.map(part).collect()
    }

    /// Whether a state is wanted.
    pub(super) fn wants(&self, state: TaskState) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    /// Bounds of the end of tasks, ms: the first, and the one behind the last. What was made later ended later.
    pub(super) fn ended(&self) -> (Option<u64>, Option<u64>) {
        let made = self.from_ms.map(|ms| ms.saturating_sub(CLOCKS_APART));
        (self.ended_from_ms.max(made), self.ended_before_ms)
    }

    /// Whether a record passes. The text was judged before, and does not change.
    pub(super) fn fits(&self, task: &TaskRecord) -> bool {
        self.wants(task.state)
            && self.agent.as_ref().is_none_or(|a| *a == task.agent)
            && self.owners.include(&task.owner)
            && (self.batch.is_none() || self.batch == task.batch)
            && (self.worker.is_none() || self.worker == task.worker)
            && self.ended_then(task.finished_ms.and_then(|ms| u64::try_from(ms).ok()))
            && self.made(&task.id)
    }

    /// Whether a task ended in the time that is asked for.
    fn ended_then(&self, ms: Option<u64>) -> bool {
        self.ended_from_ms
            .is_none_or(|from| ms.is_some_and(|ms| ms >= from))
            && self
                .ended_before_ms
                .is_none_or(|before| ms.is_some_and(|ms| ms < before))
    }

    /// Whether a task was made in the time that is asked for.
    pub(super) fn made(&self, id: &TaskId) -> bool {
        if self.from_ms.is_none() && self.before_ms.is_none() {
            return true;
        }
        let made = Ulid::from_string(id.unique()).map_or(0, |unique| unique.timestamp_ms());
        self.from_ms.is_none_or(|from| made >= from)
            && self.before_ms.is_none_or(|before| made < before)
    }

    /// The bounds of the ids in a partition, as a sorted set takes them: highest, lowest.
    pub(super) fn bounds(&self, partition: Partition) -> (String, String) {
        let first = |ms| TaskId::new(partition, Ulid::from_parts(ms, 0));
        (
            self.before_ms
                .map_or_else(|| "+".to_owned(), |ms| format!("({}", first(ms))),
            self.from_ms
                .map_or_else(|| "-".to_owned(), |ms| format!("[{}", first(ms))),
        )
    }

    /// Fields that have to be read of each task, given what the index says.
    pub(super) fn fields(&self, known: Known) -> Vec<&'static str> {
        let needed = [
            !self.states.is_empty() && !known.state,
            self.agent.is_some() && !known.agent,
            !self.owners.are_all() && !known.owner,
            self.batch.is_some(),
            self.text.is_some(),
            (self.ended_from_ms.is_some() || self.ended_before_ms.is_some()) && !known.ended,
            self.worker.is_some(),
        ];
        FIELDS
            .into_iter()
            .zip(needed)
            .filter_map(|(field, needed)| needed.then_some(field))
            .collect()
    }

    /// Whether a task passes whose fields are these. One that has none of them is gone.
    pub(super) fn passes(
        &self,
        id: &TaskId,
        fields: &[&'static str],
        values: &[Option<String>],
    ) -> bool {
        fields.iter().zip(values).all(|(field, value)| {
            let value = value.as_deref();
            let is = |wanted: Option<&str>| wanted.is_none() || wanted == value;
            match *field {
                "state" => self
                    .states
                    .iter()
                    .any(|state| Some(state.as_str()) == value),
                "agent" => is(self.agent.as_ref().map(AgentName::as_str)),
                "owner" => self
                    .owners
                    .listed()
                    .is_none_or(|owners| owners.iter().any(|owner| Some(owner.as_str()) == value)),
                "batch" => is(self.batch.as_ref().map(BatchId::as_str)),
                "finished" => self.ended_then(value.and_then(|ms| ms.parse().ok())),
                "worker" => is(self.worker.as_ref().map(WorkerId::as_str)),
                _ => self.has_text(id, value),
            }
        })
    }

    fn has_text(&self, id: &TaskId, metadata: Option<&str>) -> bool {
        let Some(text) = self.text.as_deref().map(|text| text.trim().to_lowercase()) else {
            return true;
        };
        if id.as_str().contains(&text) {
            return true;
        }
        let labels: BTreeMap<String, String> = metadata
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        labels.iter().any(|(key, value)| {
            [key, value]
                .iter()
                .any(|t| t.to_lowercase().contains(&text))
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_id_and_metadata() {
        let id: TaskId = "0-01hf7yat000000000000000010".parse().unwrap();
        let has = |text: &str, metadata| {
            let filter = ListFilter {
                text: Some(text.to_owned()),
                ..ListFilter::default()
            };
            filter.has_text(&id, metadata)
        };
        assert!(has("7YAT", None));
        assert!(has("acme", Some(r#"{"customer":"ACME Inc"}"#)));
        assert!(has("customer", Some(r#"{"customer":"ACME Inc"}"#)));
        assert!(!has("\":\"", Some(r#"{"customer":"ACME Inc"}"#)));
        assert!(!has("other", Some("not json")));
    }

    #[test]
    fn times_are_those_of_the_ids() {
        let filter = ListFilter {
            from_ms: Some(1_700_000_000_000),
            before_ms: Some(1_700_000_000_001),
            ..ListFilter::default()
        };
        let made = |ms| TaskId::new(Partition(3), Ulid::from_parts(ms, 7));
        assert!(filter.made(&made(1_700_000_000_000)));
        assert!(!filter.made(&made(1_700_000_000_001)));
        assert!(!filter.made(&made(1_699_999_999_999)));
        let (highest, lowest) = filter.bounds(Partition(3));
        let id = made(1_700_000_000_000).to_string();
        assert!(id.as_str() < &highest[1..] && id.as_str() > &lowest[1..]);
    }

    #[test]
    fn parts_follow_the_life_of_tasks() {
        let parts = |filter: ListFilter| -> Vec<Vec<TaskState>> {
            filter.parts().into_iter().map(|part| part.states).collect()
        };
        use TaskState::{Cancelled, Completed, Failed, Processing, Queued, Scheduled};
        let of = |states: &[TaskState]| ListFilter {
            states: states.to_vec(),
            ..ListFilter::default()
        };
        assert_eq!(parts(of(&[])), [vec![]]);
        assert_eq!(
            parts(of(&[Failed, Processing, Queued, Scheduled, Completed])),
            [
                vec![Scheduled, Queued],
                vec![Processing],
                vec![Completed, Failed]
            ]
        );
        let ended = |states: &[TaskState]| ListFilter {
            ended_from_ms: Some(1),
            ..of(states)
        };
        assert_eq!(parts(ended(&[])), [vec![Completed, Failed, Cancelled]]);
        assert_eq!(parts(ended(&[Queued, Failed])), [vec![Failed]]);
        assert_eq!(parts(ended(&[Queued])), Vec::<Vec<TaskState>>::new());
    }
}
