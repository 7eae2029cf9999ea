//! What comes from outside to those that wait: answers, and time.

use factorial_core::{Answer, AnswerOutcome, TaskState, WaitKey, WaitKind, WaitOutcome};
use serde_json::json;

use super::{Run, operation::Answering, waits::Wait};

const CALLS: &[WaitKind] = &[WaitKind::Caller, WaitKind::Operator];
const APPROVALS: &[WaitKind] = &[WaitKind::Approval];

impl Run {
    /// Answers one of the calls of a task, whatever has become of it, or a call that it never made.
    pub(super) async fn answer(&mut self, index: usize, answering: Answering) {
        let waits = &self.model.tasks[index].waits;
        let open = waits
            .iter()
            .filter(|(_, w)| w.is_open() && w.kind() != WaitKind::Child)
            .map(|(key, _)| key);
        let open: Vec<&WaitKey> = open.collect();
        let key = if answering.wait.is_multiple_of(3) || open.is_empty() {
            waits.keys().nth(answering.wait % (waits.len() + 1))
        } else {
            Some(open[answering.wait % open.len()])
        };
        let never = || WaitKey::Call("never".to_owned());
        let key = key.cloned().unwrap_or_else(never);
        self.answer_to(index, key, answering).await;
    }

    pub(super) async fn answer_to(&mut self, index: usize, key: WaitKey, answering: Answering) {
        let task = &self.model.tasks[index];
        let approval = matches!(key, WaitKey::Approval(_)) != answering.wrong_kind;
        let (kinds, outcome) = match (approval, answering.well) {
            (true, true) => (APPROVALS, WaitOutcome::Approved),
            (true, false) => (APPROVALS, WaitOutcome::Denied),
            (false, true) => (CALLS, WaitOutcome::Result),
            (false, false) => (CALLS, WaitOutcome::Error),
        };
        let said = json!({ "n": answering.payload });
        let answer = Answer {
            key: &key,
            kinds,
            outcome,
            payload: &said,
            by: json!({}),
            owner: None,
            token: None,
        };
        let id = task.id.clone();
        let real = self.test.store().answer(&id, &answer).await.unwrap();
        let said = said.to_string();
        let task = &mut self.model.tasks[index];
        let expected = match task
            .waits
            .get_mut(&key)
            .filter(|w| kinds.contains(&w.kind()))
        {
            _ if task.gone => AnswerOutcome::NotFound,
            None if task.state.is_terminal() => AnswerOutcome::Finished(task.state),
            None => AnswerOutcome::Unknown,
            Some(Wait::Answered {
                outcome: o,
                payload,
                ..
            }) => {
                if *o == outcome && *payload == said {
                    AnswerOutcome::Replayed
                } else {
                    AnswerOutcome::Conflict(*o)
                }
            }
            Some(wait) => {
                wait.answer(outcome, &said);
                self.model.unpark(index);
                let state = self.model.tasks[index].state;
                let again = self.test.store().answer(&id, &answer).await.unwrap();
                assert_eq!(again, AnswerOutcome::Replayed);
                AnswerOutcome::Answered(state)
            }
        };
        self.saw(match expected {
            AnswerOutcome::Answered(TaskState::Queued) => "a last answer",
            AnswerOutcome::Answered(_) => "an answer",
            AnswerOutcome::Replayed => "an answer again",
            AnswerOutcome::Conflict(WaitOutcome::Timeout) => "an answer that is late",
            AnswerOutcome::Conflict(_) => "another answer",
            _ => "an answer to nothing",
        });
        assert_eq!(real, expected, "{key} of {:?}", self.model.tasks[index]);
    }

    /// Waits whose time is over are answered.
    pub(super) async fn expire_waits(&mut self) {
        let mut expired = 0;
        for partition in self.test.store().all_partitions() {
            let step = self
                .test
                .store()
                .expire_waits(partition, 1_000)
                .await
                .unwrap();
            expired += step.count;
        }
        let mut expected = 0;
        for index in 0..self.model.tasks.len() {
            let task = &mut self.model.tasks[index];
            for wait in task.waits.values_mut() {
                if let Wait::Open {
                    late: true, child, ..
                } = wait
                {
                    self.model.orphans.extend(*child);
                    wait.answer(WaitOutcome::Timeout, "{}");
                    expected += 1;
                }
            }
            self.model.unpark(index);
        }
        if expired > 0 {
            self.saw("waits that expire");
        }
        assert_eq!(expired, expected);
    }

    /// Children that nobody awaits any more are cancelled.
    pub(super) async fn cascade(&mut self) {
        for partition in self.test.store().all_partitions() {
            let mut cancelled = 0;
            loop {
                let step = self.test.store().cascade(partition, 20).await.unwrap();
                cancelled += step.cancelled;
                if !step.more {
                    break;
                }
            }
            assert_eq!(cancelled, self.model.cascade(partition));
            if cancelled > 0 {
                self.saw("orphans");
            }
        }
    }
}
