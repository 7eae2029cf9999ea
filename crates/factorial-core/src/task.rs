//! The record of a task: the small fields of its hash.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::Value;

use crate::{
    conversation::PARTS,
    error::StoreError,
    failure::Failure,
    ids::{AgentName, BatchId, OwnerId, Priority, TaskId, WorkerId},
};

/// State of a task; the last three are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskState {
    /// Waits for its start time.
    Scheduled,
    /// Waits for a slot.
    Queued,
    /// Leased to a worker.
    Processing,
    /// Waits to be tried again.
    Backoff,
    /// Parked until tool results arrive.
    PendingToolResults,
    /// Parked until children end.
    PendingChildTasks,
    /// Ended with an output.
    Completed,
    /// Ended with a failure.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl TaskState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Scheduled,
        Self::Queued,
        Self::Processing,
        Self::Backoff,
        Self::PendingToolResults,
        Self::PendingChildTasks,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The stored name, which is the name on the wire too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Backoff => "backoff",
            Self::PendingToolResults => "pending_tool_results",
            Self::PendingChildTasks => "pending_child_tasks",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The task has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TaskState {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| StoreError::corrupt("task state", text))
    }
}

/// Tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read, cached ones included.
    pub input: u64,
    /// Read from the provider's cache.
    pub cached_input: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Of reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.input += other.input;
        self.cached_input += other.cached_input;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }

    pub(crate) fn encode(self) -> String {
        format!(
            "{} {} {} {}",
            self.input, self.cached_input, self.output, self.reasoning
        )
    }

    fn decode(text: &str) -> Option<Self> {
        let mut n = text.split(' ').map(str::parse);
        let mut next = || n.next()?.ok();
        Some(Self {
            input: next()?,
            cached_input: next()?,
            output: next()?,
            reasoning: next()?,
        })
    }
}

/// What some tasks have spent together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// How many they are.
    pub tasks: u64,
    /// Tokens.
    pub usage: Usage,
    /// Millionths of a US dollar, of the models that have a price.
    pub cost_micros: u64,
}

impl Tree {
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut n = text.split(' ').map(str::parse);
        let mut next = || n.next()?.ok();
        Some(Self {
            tasks: next()?,
            usage: Usage {
                input: next()?,
                cached_input: next()?,
                output: next()?,
                reasoning: next()?,
            },
            cost_micros: next()?,
        })
    }
}

/// A task as it is stored. Times are ms since the Unix epoch, by Redis.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    missing_docs,
    reason = "fields are those of the glossary, units stated above"
)]
pub struct TaskRecord {
    pub id: TaskId,
    pub state: TaskState,
    pub agent: AgentName,
    pub owner: OwnerId,
    pub priority: Priority,
    pub created_ms: i64,
    pub due_ms: Option<i64>,
    /// Since when it is or was queued, the last time.
    pub ready_ms: Option<u64>,
    pub started_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub deadline_ms: Option<i64>,
    pub conversation: TaskId,
    pub previous: Option<TaskId>,
    pub parent: Option<TaskId>,
    /// Key of the parent's wait, if the parent waits for it.
    pub call: Option<String>,
    pub root: Option<TaskId>,
    /// Below its root; 0 of a root.
    pub depth: u32,
    /// Open waits.
    pub awaited: u32,
    /// Descendants that have ended, together.
    pub tree: Tree,
    /// Most bytes of its output in the answer to its parent.
    pub answer_bytes: Option<u64>,
    /// Tools that the caller answers, as submitted.
    pub tools: Option<Value>,
    /// It has a webhook of its own, or that of its batch.
    pub webhook: bool,
    /// W3C trace context.
    pub trace: Option<String>,
    pub batch: Option<BatchId>,
    pub stream: bool,
    /// Somebody has listened to it.
    pub live: bool,
    pub turns: u32,
    pub tool_calls: u32,
    pub attempts: u32,
    pub retries: u32,
    pub recoveries: u32,
    pub hand_backs: u32,
    pub steering: u32,
    pub bytes: u64,
    pub worker: Option<WorkerId>,
    pub usage: BTreeMap<String, Usage>,
    /// Millionths of a US dollar, of the models that have a price.
    pub cost_micros: u64,
    pub failure: Option<Failure>,
    /// It was to start later than it was accepted.
    pub delayed: bool,
    /// The first entry of the conversation, if it is kept with the record.
    pub(crate) inline_input: Option<String>,
    pub reason: Option<String>,
    pub limits: Option<Value>,
    pub metadata: BTreeMap<String, String>,
}

/// Fields of a hash on their way into a record.
/// Few enough to be looked through.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(field, _)| field == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn take<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, StoreError> {
        match self.remove(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| StoreError::corrupt("task", format!("{name}: {text}"))),
        }
    }

    fn need<T: FromStr>(&mut self, name: &'static str) -> Result<T, StoreError> {
        self.take(name)?
            .ok_or_else(|| StoreError::corrupt("task", format!("{name} is missing")))
    }

    fn inline_input(&mut self) -> Option<String> {
        let parts = PARTS.iter().map_while(|name| self.remove(name));
        Some(parts.collect::<String>()).filter(|input| !input.is_empty())
    }

    fn number<T: FromStr + Default>(&mut self, name: &'static str) -> Result<T, StoreError> {
        Ok(self.take(name)?.unwrap_or_default())
    }

    fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.remove(name) {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|e| StoreError::corrupt("task", format!("{name}: {e}"))),
        }
    }
}

impl TaskRecord {
    /// From the flat fields of a hash; `None` when there are none.
    pub(crate) fn decode(id: &TaskId, flat: Vec<String>) -> Result<Option<Self>, StoreError> {
        if flat.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(flat.len() / 2);
        let mut items = flat.into_iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            fields.push((name, value));
        }
        let mut f = Fields(fields);
        let mut usage = BTreeMap::new();
        for (name, value) in &f.0 {
            if let Some(model) = name.strip_prefix("u:") {
                let tokens = Usage::decode(value)
                    .ok_or_else(|| StoreError::corrupt("task", name.clone()))?;
                usage.insert(model.to_owned(), tokens);
            }
        }
        let priority = Priority::try_from(f.need::<u8>("priority")?)
            .map_err(|e| StoreError::corrupt("task", e.to_string()))?;
        let state = f.need("state")?;
        Ok(Some(Self {
            state,
            agent: f.need("agent")?,
            owner: f.need("owner")?,
            priority,
            created_ms: f.need("created")?,
            due_ms: f.take("due")?,
            ready_ms: f.take("ready")?,
            started_ms: f.take("started")?,
            finished_ms: f.take("finished")?,
            deadline_ms: f.take("deadline")?,
            conversation: f.take("conversation")?.unwrap_or_else(|| id.clone()),
            previous: f.take("previous")?,
            parent: f.take("parent")?,
            call: f.take::<String>("call")?.filter(|call| !call.is_empty()),
            root: f.take("root")?,
            depth: f.number("depth")?,
            awaited: f.number("awaited")?,
            tree: match f.take::<String>("tree")? {
                None => Tree::default(),
                Some(text) => {
                    Tree::decode(&text).ok_or_else(|| StoreError::corrupt("task", text))?
                }
            },
            answer_bytes: f.take("answer_bytes")?,
            tools: f.json("tools")?,
            webhook: f.remove("hook").is_some(),
            trace: f.take("trace")?,
            batch: f.take("batch")?,
            stream: f.take::<u8>("stream")?.is_some(),
            live: f.take::<u8>("live")?.is_some(),
            turns: f.number("turns")?,
            tool_calls: f.number("calls")?,
            attempts: f.number("attempts")?,
            retries: f.number("retries")?,
            recoveries: f.number("recoveries")?,
            hand_backs: f.number("hand_backs")?,
            steering: f.number("steering")?,
            bytes: f.number("bytes")?,
            worker: f.take("worker")?.filter(|_| state == TaskState::Processing),
            usage,
            cost_micros: f.number("cost")?,
            failure: f.json("failure")?,
            inline_input: f.inline_input(),
            delayed: f.take::<u8>("delayed")?.is_some(),
            reason: f.take("reason")?,
            limits: f.json("limits")?,
            metadata: f.json("metadata")?.unwrap_or_default(),
            id: id.clone(),
        }))
    }

    /// Tokens of all models together.
    #[must_use]
    pub fn total_usage(&self) -> Usage {
        let mut total = Usage::default();
        for usage in self.usage.values() {
            total.add(*usage);
        }
        total
    }
}
