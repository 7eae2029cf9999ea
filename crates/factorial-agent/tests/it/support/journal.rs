//! A journal in memory that can fail where a test wants it to.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use factorial_agent::{
    Agent, BoundaryReason, Completion, Journal, JournalError, Limits, Message, Output, Run, RunEnd,
    Signals, ToolRecord, TurnRecord, Usage,
};
use tokio_util::sync::CancellationToken;

/// One committed thing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Reply(TurnRecord),
    Tool(ToolRecord, bool),
    Complete(TurnRecord, Output),
    Boundary(BoundaryReason),
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
}

pub(crate) struct MemoryJournal {
    state: Mutex<State>,
    pub(crate) signals: Signals,
    pub(crate) limits: Limits,
    pub(crate) turn_timeout: std::time::Duration,
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
        let (conversation, turns_done, usage_so_far, tool_calls_done) = {
            let state = self.state();
            (
                state.conversation.clone(),
                state.turns,
                state.usage,
                state.tool_calls,
            )
        };
        Run {
            turns_done,
            usage_so_far,
            tool_calls_done,
            limits: self.limits,
            turn_timeout: self.turn_timeout,
            ..Run::new("task-1", "owner-1", conversation, self, &self.signals)
        }
    }

    pub(crate) async fn run(&self, agent: &dyn Agent) -> RunEnd {
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

    fn take_steering(&mut self) -> Vec<Message> {
        let steering = std::mem::take(&mut self.steering);
        self.conversation.extend(steering.clone());
        steering
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn reply(&self, turn: TurnRecord) -> Result<(), JournalError> {
        self.commit(Entry::Reply(turn.clone()), |state| state.add_turn(&turn))
    }

    async fn tool_result(
        &self,
        result: ToolRecord,
        boundary: bool,
    ) -> Result<Vec<Message>, JournalError> {
        self.commit(Entry::Tool(result.clone(), boundary), |state| {
            state.conversation.push(result.message());
            if boundary {
                state.take_steering()
            } else {
                Vec::new()
            }
        })
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
