//! What a run waits for: registration, children, parking.

use std::{collections::BTreeMap, time::Duration};

use factorial_agent::{
    JournalError, NewChild, NewWait, ParkedFor, Parking, SpawnRefusal, Spawned, WaitKey, WaitKind,
};
use factorial_core::{
    self as core, AgentName, Answer, AnswerOutcome, Commit, Enqueued, Entry, EventType, NewEvent,
    NewTask, Parent, ParkOutcome, Start, TaskId,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::{StoreJournal, Written};
use crate::convert;

/// Bytes of output that the children of one call may answer together; as much as any tool result.
const ANSWERS_BYTES: u64 = 256 << 10;
/// Least bytes for each of many.
const LEAST_ANSWER_BYTES: u64 = 512;

impl StoreJournal {
    /// The waits of a commit, with the events that tell of them. `entry`: index of the reply that makes the calls.
    pub(super) fn new_waits(
        &self,
        waits: &[NewWait],
        entry: u64,
        turn: u32,
        tool_of: &BTreeMap<String, String>,
    ) -> (Vec<core::NewWait>, Vec<NewEvent>) {
        let mut stored = Vec::with_capacity(waits.len());
        let mut events = Vec::with_capacity(waits.len());
        for wait in waits {
            let approval = wait.kind == WaitKind::Approval;
            let call = wait.key.call_id();
            let mut data = json!({
                "call_id": call, "tool": tool_of.get(call),
                "timeout_seconds": wait.timeout.map(|t| t.as_secs_f64()),
            });
            if !approval {
                data["asks"] = wait.kind.as_str().into();
            }
            let event = if approval {
                EventType::ApprovalRequested
            } else {
                EventType::ToolDeferred
            };
            events.push(NewEvent::new(event, turn, data));
            stored.push(core::NewWait {
                key: convert::wait_key(&wait.key),
                kind: convert::wait_kind(wait.kind),
                timeout: wait.timeout,
                entry,
                version: approval.then(|| self.version.to_string()),
            });
        }
        (stored, events)
    }

    pub(super) async fn register_waits(
        &self,
        waits: Vec<NewWait>,
        taken: Vec<WaitKey>,
    ) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        let (waits, events) =
            self.new_waits(&waits, written.reply_at, written.turns, &written.tool_of);
        let commit = Commit {
            events,
            waits,
            taken: taken.iter().map(convert::wait_key).collect(),
            ..Commit::default()
        };
        self.commit(&mut written, commit, false).await.map(drop)
    }

    pub(super) async fn spawn_child(&self, child: NewChild) -> Result<Spawned, JournalError> {
        let refused = |why| Ok(Spawned::Refused(why));
        let Ok(agent) = AgentName::new(&child.agent) else {
            return refused(SpawnRefusal::UnknownAgent);
        };
        let known = self
            .persist(|| self.directory.knows(&self.store, &agent))
            .await?;
        if !known {
            return refused(SpawnRefusal::UnknownAgent);
        }
        let task = self.child_task(child, agent);
        match self.persist(|| self.store.enqueue(&task)).await? {
            Enqueued::Accepted(..) | Enqueued::Exists(_) => {
                Ok(Spawned::Accepted(task.id.to_string()))
            }
            Enqueued::TooDeep => refused(SpawnRefusal::TooDeep),
            Enqueued::TooMany => refused(SpawnRefusal::TooMany),
            Enqueued::ParentLost => Err(self.fenced()),
            Enqueued::ConversationTooLarge => Err(JournalError::TooLarge(
                "the child's query is larger than a conversation may be".to_owned(),
            )),
            // Of submissions with a key, a previous task or a batch; this has none of them.
            Enqueued::KeyReused | Enqueued::PreviousUnusable | Enqueued::BatchClosed => Err(
                JournalError::Unavailable("unexpected refusal of a child".to_owned()),
            ),
        }
    }

    fn child_task(&self, child: NewChild, agent: AgentName) -> NewTask {
        let siblings = u64::from(child.siblings.max(1));
        let wait = child
            .awaited
            .then(|| core::WaitKey::Child(child.call_id.clone(), child.index));
        let limits = &child.limits;
        let mut json = Map::new();
        let mut limit = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(name.to_owned(), value);
            }
        };
        limit("max_turns", limits.max_turns.map(Value::from));
        limit("max_total_tokens", limits.max_total_tokens.map(Value::from));
        limit("max_tool_calls", limits.max_tool_calls.map(Value::from));
        limit("max_cost_usd", limits.max_cost_usd.map(Value::from));
        NewTask {
            id: child_id(&self.held.id, &child.call_id, child.index),
            agent,
            owner: self.owner.clone(),
            priority: self.priority,
            start: Start::Now,
            input: Entry::Input {
                messages: Vec::new(),
                query: Some(child.query),
                context: Some(child.context).filter(|c| !c.is_null()),
            },
            previous: None,
            parent: Some(Parent {
                held: self.held.clone(),
                wait,
                timeout: child.timeout,
                answer_bytes: (ANSWERS_BYTES / siblings).max(LEAST_ANSWER_BYTES),
                max_depth: child.max_depth,
                max_descendants: self.max_descendants,
            }),
            batch: None,
            stream: self.deltas.is_logged(),
            deadline: limits
                .max_wall_seconds
                .and_then(|s| Duration::try_from_secs_f64(s).ok()),
            limits: (!json.is_empty()).then_some(Value::Object(json)),
            metadata: BTreeMap::new(),
            tools: None,
            webhook: None,
            trace: match self.trace() {
                Some(trace) => Some(trace.of_children()),
                None => self.trace.clone(),
            },
            idempotency: None,
        }
    }

    pub(super) async fn answer_with_error(
        &self,
        key: WaitKey,
        message: String,
    ) -> Result<(), JournalError> {
        let key = convert::wait_key(&key);
        let payload = json!({ "message": message });
        let answer = Answer {
            key: &key,
            kinds: &[core::WaitKind::Caller, core::WaitKind::Operator],
            outcome: core::WaitOutcome::Error,
            payload: &payload,
            by: json!({ "by": "worker" }),
            owner: None,
            token: Some(self.held.token),
        };
        match self
            .persist(|| self.store.answer(&self.held.id, &answer))
            .await?
        {
            AnswerOutcome::Answered(_) | AnswerOutcome::Replayed | AnswerOutcome::Conflict(_) => {
                Ok(())
            }
            AnswerOutcome::Unknown | AnswerOutcome::Finished(_) | AnswerOutcome::NotFound => {
                Err(self.fenced())
            }
        }
    }

    pub(super) async fn park_task(&self, parked_for: ParkedFor) -> Result<Parking, JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let write = written.write;
        let parked_for = match parked_for {
            ParkedFor::Children => core::ParkedFor::Children,
            ParkedFor::Answers => core::ParkedFor::Answers,
        };
        match self
            .persist_end(|| self.store.park(&self.held, write, parked_for, self.lease))
            .await?
        {
            ParkOutcome::Parked => Ok(Parking::Parked),
            ParkOutcome::Ready(waits) => {
                self.in_flight.set_ending(&self.held, false);
                Ok(Parking::Ready(convert::waits(waits)))
            }
            ParkOutcome::Stale(_) => Err(self.fenced()),
        }
    }

    /// The output as the parent is told, if somebody waits for the task: not more than its share of a tool result.
    pub(super) fn answer(&self, output: &Value) -> Option<Value> {
        let most = usize::try_from(self.answer_bytes?).unwrap_or(usize::MAX);
        let text = match output {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if text.len() <= most {
            return Some(output.clone());
        }
        let note = format!("\n[cut off: {} bytes in all]", text.len());
        let kept = text.floor_char_boundary(most.saturating_sub(note.len()));
        Some(Value::String(format!("{}{note}", &text[..kept])))
    }
}

impl Written {
    /// A reply is about to be committed as the next entry: what its calls are for.
    pub(super) fn note_reply(&mut self, turn: u32, calls: BTreeMap<String, String>) {
        self.reply_at = self.known;
        self.turns = turn;
        self.tool_of = calls;
    }
}

/// The same task, call and index always give the same id, so that a spawn that is repeated finds the first. It sorts to
/// the time of its parent.
fn child_id(parent: &TaskId, call: &str, index: u32) -> TaskId {
    let hash = Sha256::digest(format!("{parent}/{call}/{index}"));
    let random = hash
        .iter()
        .take(10)
        .fold(0_u128, |n, byte| (n << 8) | u128::from(*byte));
    let time = Ulid::from_string(parent.unique()).map_or(0, |ulid| ulid.timestamp_ms());
    TaskId::new(parent.partition(), Ulid::from_parts(time, random))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_one_id() {
        let parent: TaskId = "3-01hf7yat000000000000000007".parse().unwrap();
        let id = child_id(&parent, "c", 0);
        assert_eq!(id, child_id(&parent, "c", 0));
        assert_eq!(id.partition(), parent.partition());
        assert_eq!(&id.unique()[..10], &parent.unique()[..10]);
        for other in [child_id(&parent, "c", 1), child_id(&parent, "d", 0)] {
            assert_ne!(id, other);
        }
    }
}
