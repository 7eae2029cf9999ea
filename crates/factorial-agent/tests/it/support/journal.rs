//! A journal in memory that can fail where a test wants it to.

use std::sync::{Mutex, MutexGuard};

use std::collections::BTreeMap;

use async_trait::async_trait;
use factorial_agent::{
    Agent, BoundaryReason, CallerTool, Completion, Journal, JournalError, Limits, Message,
    NewChild, NewWait, Output, ParkedFor, Parking, Run, RunEnd, Signals, Spawned, ToolRecord,
    TurnRecord, Usage, Wait, WaitKey, WaitKind, WaitOutcome, WaitStatus,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// One committed thing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Reply(TurnRecord),
    Tool(ToolRecord, bool),
    Complete(TurnRecord, Output),
    Boundary(BoundaryReason),
    Register(Vec<NewWait>, Vec<WaitKey>),
    Spawn(NewChild),
    Settle(WaitKey, String),
    Park(ParkedFor),
}

#[derive(Default)]
struct State {
    conversation: Vec<Message>,
    entries: Vec<Entry>,
    steering: Vec<Message>,
    deltas: Vec<(u32, String)>,
    /// Calls until the journal is lost; the call that hits zero is committed or not.
    cut: Option<(usize, bool)>,
    too_large: usize,
    usage: Usage,
    turns: u32,
    tool_calls: u32,
    /// As the store keeps them: the first answer wins, and taken ones of children are deleted.
    waits: BTreeMap<WaitKey, Wait>,
    children: BTreeMap<WaitKey, NewChild>,
}

/// Says what becomes of a child.
pub(crate) type Nursery = Box<dyn Fn(&NewChild) -> Result<Spawned, JournalError> + Send + Sync>;

pub(crate) struct MemoryJournal {
    state: Mutex<State>,
    pub(crate) signals: Signals,
    pub(crate) limits: Limits,
    pub(crate) turn_timeout: std::time::Duration,
    /// Kept for approvals, as the task's version is.
    pub(crate) version: Mutex<String>,
    pub(crate) caller_tools: Vec<CallerTool>,
    pub(crate) callback: Option<String>,
    pub(crate) nursery: Nursery,
}

impl MemoryJournal {
    pub(crate) fn new(query: &str) -> Self {
        Self::of(vec![Message::user(query)])
    }

    pub(crate) fn of(conversation: Vec<Message>) -> Self {
        let state = State {
            conversation,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            signals: Signals::new(CancellationToken::new()),
            limits: Limits::default(),
            turn_timeout: super::PATIENCE,
            version: Mutex::default(),
            caller_tools: Vec::new(),
            callback: Some("http://gateway/answer".to_owned()),
            nursery: Box::new(|child| {
                Ok(Spawned::Accepted(format!(
                    "{}-{}",
                    child.call_id, child.index
                )))
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn with_turn_timeout(mut self, timeout: std::time::Duration) -> Self {
        self.turn_timeout = timeout;
        self
    }

    /// The lease is lost at the `calls`-th call from here on, after or before it is committed.
    pub(crate) fn cut(&self, calls: usize, committed: bool) {
        self.state().cut = Some((calls, committed));
    }

    pub(crate) fn uncut(&self) {
        self.state().cut = None;
    }

    pub(crate) fn too_large(&self, times: usize) {
        self.state().too_large = times;
    }

    pub(crate) fn steer(&self, text: &str) {
        self.state().steering.push(Message::user(text));
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.state().entries.clone()
    }

    pub(crate) fn conversation(&self) -> Vec<Message> {
        self.state().conversation.clone()
    }

    pub(crate) fn usage(&self) -> Usage {
        self.state().usage
    }

    pub(crate) fn deltas(&self) -> String {
        self.state()
            .deltas
            .iter()
            .map(|(_, text)| text.as_str())
            .collect()
    }

    pub(crate) fn output(&self) -> Option<Output> {
        self.state()
            .entries
            .iter()
            .rev()
            .find_map(|entry| match entry {
                Entry::Complete(_, output) => Some(output.clone()),
                _ => None,
            })
    }

    pub(crate) fn tools(&self) -> Vec<ToolRecord> {
        let tool = |entry: &Entry| match entry {
            Entry::Tool(record, _) => Some(record.clone()),
            _ => None,
        };
        self.state().entries.iter().filter_map(tool).collect()
    }

    /// A run from what is committed, as a worker would make it after a claim.
    pub(crate) fn next_run(&self) -> Run<'_> {
        let (conversation, turns_done, usage_so_far, tool_calls_done, waits) = {
            let state = self.state();
            (
                state.conversation.clone(),
                state.turns,
                state.usage,
                state.tool_calls,
                state.waits.values().cloned().collect(),
            )
        };
        Run {
            turns_done,
            usage_so_far,
            tool_calls_done,
            waits,
            caller_tools: self.caller_tools.clone(),
            limits: self.limits,
            turn_timeout: self.turn_timeout,
            ..Run::new("task-1", "owner-1", conversation, self, &self.signals)
        }
    }

    /// Answers an open wait, unless somebody has.
    pub(crate) fn answer(&self, key: &str, outcome: WaitOutcome, payload: Value) {
        let mut state = self.state();
        let wait = state
            .waits
            .get_mut(&key.parse().unwrap())
            .expect("registered");
        if wait.status == WaitStatus::Open {
            wait.status = WaitStatus::Answered(outcome, payload);
        }
    }

    pub(crate) fn open_waits(&self) -> Vec<String> {
        self.state()
            .waits
            .values()
            .filter(|wait| wait.status == WaitStatus::Open)
            .map(|wait| wait.key.to_string())
            .collect()
    }

    /// Every wait that is kept: its key, and whether it is taken.
    pub(crate) fn waits(&self) -> Vec<(String, bool)> {
        let waits = &self.state().waits;
        waits
            .values()
            .map(|wait| {
                (
                    wait.key.to_string(),
                    matches!(wait.status, WaitStatus::Taken(_)),
                )
            })
            .collect()
    }

    /// Everybody who is asked says yes: children complete, calls are answered and approved.
    pub(crate) fn answer_all(&self) {
        for key in self.open_waits() {
            let said = serde_json::json!(format!("answer of {key}"));
            match key.parse().unwrap() {
                WaitKey::Call(_) => self.answer(&key, WaitOutcome::Result, said),
                WaitKey::Approval(_) => {
                    self.answer(&key, WaitOutcome::Approved, serde_json::json!({}));
                }
                WaitKey::Child(..) => {
                    let payload = serde_json::json!({"output": said});
                    self.answer(&key, WaitOutcome::Completed, payload);
                }
            }
        }
    }

    pub(crate) fn children(&self) -> Vec<NewChild> {
        self.state().children.values().cloned().collect()
    }

    pub(crate) async fn run(&self, agent: &dyn Agent) -> RunEnd {
        *self.version.lock().unwrap() = agent.definition().version();
        tokio::time::timeout(super::PATIENCE, agent.run(self.next_run()))
            .await
            .expect("the run ends")
    }

    fn commit<T>(
        &self,
        entry: Entry,
        change: impl FnOnce(&mut State) -> T,
    ) -> Result<T, JournalError> {
        let mut state = self.state();
        if state.too_large > 0 {
            state.too_large -= 1;
            return Err(JournalError::TooLarge("by test".into()));
        }
        let mut lost = false;
        if let Some((calls, committed)) = &mut state.cut {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                if !*committed {
                    return Err(JournalError::Lost);
                }
                lost = true;
                *committed = false;
            }
        }
        state.entries.push(entry);
        let result = change(&mut state);
        if lost {
            Err(JournalError::Lost)
        } else {
            Ok(result)
        }
    }
}

impl State {
    fn add_turn(&mut self, turn: &TurnRecord) {
        self.conversation.push(turn.message.clone());
        self.conversation.extend(turn.repair.clone());
        self.turns += 1;
        assert_eq!(turn.turn, self.turns, "turns are counted without a gap");
        self.usage += turn.usage;
        self.tool_calls += turn.tool_calls;
    }

    fn open(&mut self, wait: &NewWait, version: &str) {
        assert_ne!(
            wait.kind,
            WaitKind::Child,
            "children are registered with the child"
        );
        let earlier = self.waits.insert(
            wait.key.clone(),
            Wait {
                key: wait.key.clone(),
                kind: wait.kind,
                version: (wait.kind == WaitKind::Approval).then(|| version.to_owned()),
                status: WaitStatus::Open,
            },
        );
        let free = earlier.is_none_or(|wait| matches!(wait.status, WaitStatus::Taken(_)));
        assert!(free, "{} is registered once", wait.key);
    }

    fn take(&mut self, key: &WaitKey) {
        let wait = self.waits.get_mut(key).expect("taken waits are registered");
        let WaitStatus::Answered(outcome, _) = wait.status else {
            panic!("{key} is taken when it is answered, and once: {wait:?}")
        };
        if wait.kind == WaitKind::Child {
            self.waits.remove(key);
        } else {
            wait.status = WaitStatus::Taken(outcome);
        }
    }

    fn take_steering(&mut self) -> Vec<Message> {
        let steering = std::mem::take(&mut self.steering);
        self.conversation.extend(steering.clone());
        steering
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn reply(&self, turn: TurnRecord) -> Result<(), JournalError> {
        let version = self.version.lock().unwrap().clone();
        tokio::task::yield_now().await;
        let done = self.commit(Entry::Reply(turn.clone()), |state| {
            state.add_turn(&turn);
            for wait in &turn.waits {
                state.open(wait, &version);
            }
        });
        tokio::task::yield_now().await;
        done
    }

    async fn tool_result(
        &self,
        result: ToolRecord,
        boundary: bool,
    ) -> Result<Vec<Message>, JournalError> {
        tokio::task::yield_now().await;
        let done = self.commit(Entry::Tool(result.clone(), boundary), |state| {
            state.conversation.push(result.message());
            for key in &result.taken {
                state.take(key);
            }
            if boundary {
                state.take_steering()
            } else {
                Vec::new()
            }
        });
        tokio::task::yield_now().await;
        done
    }

    async fn register(&self, waits: Vec<NewWait>, taken: Vec<WaitKey>) -> Result<(), JournalError> {
        let version = self.version.lock().unwrap().clone();
        tokio::task::yield_now().await;
        let done = self.commit(Entry::Register(waits.clone(), taken.clone()), |state| {
            for key in &taken {
                state.take(key);
            }
            for wait in &waits {
                state.open(wait, &version);
            }
        });
        tokio::task::yield_now().await;
        done
    }

    async fn spawn(&self, child: NewChild) -> Result<Spawned, JournalError> {
        tokio::task::yield_now().await;
        let spawned = (self.nursery)(&child)?;
        let key = WaitKey::Child(child.call_id.clone(), child.index);
        let done = self.commit(Entry::Spawn(child.clone()), |state| {
            let first = !state.children.contains_key(&key);
            if first && matches!(spawned, Spawned::Accepted(_)) {
                state.children.insert(key.clone(), child.clone());
                if child.awaited {
                    let wait = Wait {
                        key: key.clone(),
                        kind: WaitKind::Child,
                        version: None,
                        status: WaitStatus::Open,
                    };
                    state.waits.insert(key, wait);
                }
            }
            spawned
        });
        tokio::task::yield_now().await;
        done
    }

    async fn settle_error(&self, key: WaitKey, message: String) -> Result<(), JournalError> {
        tokio::task::yield_now().await;
        let done = self.commit(Entry::Settle(key.clone(), message.clone()), |state| {
            let wait = state.waits.get_mut(&key).expect("registered");
            if wait.status == WaitStatus::Open {
                let payload = serde_json::json!({"message": message});
                wait.status = WaitStatus::Answered(WaitOutcome::Error, payload);
            }
        });
        tokio::task::yield_now().await;
        done
    }

    async fn park(&self, parked_for: ParkedFor) -> Result<Parking, JournalError> {
        tokio::task::yield_now().await;
        let done = self.commit(Entry::Park(parked_for), |state| {
            let open = |wait: &Wait| wait.status == WaitStatus::Open;
            if state.waits.values().any(open) {
                let kinds = state.waits.values().filter(|wait| open(wait));
                let children = kinds.clone().all(|wait| wait.kind == WaitKind::Child);
                assert_eq!(parked_for == ParkedFor::Children, children);
                Parking::Parked
            } else {
                Parking::Ready(state.waits.values().cloned().collect())
            }
        });
        tokio::task::yield_now().await;
        done
    }

    fn callback_url(&self, call_id: &str) -> Option<String> {
        let base = self.callback.as_ref()?;
        Some(format!("{base}/{call_id}"))
    }

    async fn complete(&self, turn: TurnRecord, output: Output) -> Result<Completion, JournalError> {
        self.commit(Entry::Complete(turn.clone(), output), |state| {
            state.add_turn(&turn);
            let steering = state.take_steering();
            if steering.is_empty() {
                Completion::Done
            } else {
                Completion::Continue(steering)
            }
        })
    }

    async fn boundary(&self, reason: BoundaryReason) -> Result<Vec<Message>, JournalError> {
        self.commit(Entry::Boundary(reason), State::take_steering)
    }

    fn delta(&self, turn: u32, text: &str) {
        self.state().deltas.push((turn, text.to_owned()));
    }
}
