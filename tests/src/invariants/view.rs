//! A keyspace sorted by what its keys are for.

use std::collections::{BTreeMap, BTreeSet};

use factorial_core::{TaskState, segments as s};
use serde_json::Value;

use super::report::{Report, Rule};
use crate::keyspace::{Content, Keyspace, Stored};

/// A stored event.
pub(super) struct LoggedEvent {
    pub(super) at_ms: i64,
    pub(super) attempt: u32,
    pub(super) name: String,
    pub(super) data: Value,
}

impl LoggedEvent {
    pub(super) fn is_terminal(&self) -> bool {
        matches!(
            self.name.as_str(),
            "run_completed" | "run_failed" | "run_cancelled"
        )
    }

    /// An operator has queued the task again.
    pub(super) fn is_operator_retry(&self) -> bool {
        self.name == "task_retried" && self.data.get("by").is_some_and(|by| by == "operator")
    }

    pub(super) fn number(&self, field: &str) -> u64 {
        self.data.get(field).and_then(Value::as_u64).unwrap_or(0)
    }
}

/// A task with all its keys.
#[derive(Default)]
pub(super) struct TaskView {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) log: Vec<String>,
    pub(super) events: Vec<LoggedEvent>,
    pub(super) inbox: Vec<String>,
    pub(super) waits: BTreeMap<String, String>,
    pub(super) children: BTreeSet<String>,
    /// Every child that it has had, in their order.
    pub(super) offspring: Vec<String>,
    /// Its own webhook, as it is kept.
    pub(super) webhook: Option<String>,
}

impl TaskView {
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    pub(super) fn number(&self, field: &str) -> i64 {
        self.fields
            .get(field)
            .and_then(|v| v.parse().ok())
            .unwrap_or(0)
    }

    pub(super) fn state(&self) -> Option<TaskState> {
        self.text("state").parse().ok()
    }

    /// An operator has queued it again after an end.
    pub(super) fn was_revived(&self) -> bool {
        self.events.iter().any(LoggedEvent::is_operator_retry)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().is_some_and(TaskState::is_terminal)
    }
}

/// One partition.
#[derive(Default)]
pub(super) struct PartitionView {
    pub(super) tasks: BTreeMap<String, TaskView>,
    /// `<agent>:<priority>:<owner>` -> tasks.
    pub(super) ready: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) rings: BTreeMap<String, BTreeMap<String, i64>>,
    /// `lease`, `delay`, `pending`, `done:<state>` -> tasks.
    pub(super) places: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) deadlines: BTreeMap<String, i64>,
    pub(super) by_agent: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) by_owner: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) counts: BTreeMap<String, String>,
    pub(super) wakes: BTreeMap<String, Vec<String>>,
    /// `<id> <wait key>` -> deadline.
    pub(super) awaits: BTreeMap<String, i64>,
    /// `<kind> <agent> <owner> <id> <wait key>` -> since when.
    pub(super) asked: BTreeMap<String, i64>,
    pub(super) cascade: Vec<String>,
    /// Children that are not awaited any more and are to be cancelled.
    pub(super) orphans: Vec<String>,
    pub(super) batches: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) batch_events: BTreeMap<String, Vec<LoggedEvent>>,
    /// `batches`, `ib:<owner>`, `filling`, `cancelling`, `done:batch` -> batches.
    pub(super) batch_places: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) batch_webhooks: BTreeMap<String, String>,
    /// Delivery that has not ended -> when it is due.
    pub(super) outbox: BTreeMap<String, i64>,
    /// Delivery -> its fields, and whether it expires.
    pub(super) deliveries: BTreeMap<String, (BTreeMap<String, String>, bool)>,
    /// Webhook, task or batch -> its deliveries.
    pub(super) delivery_logs: BTreeMap<String, Vec<String>>,
    /// Tasks of which there are keys, but no hash.
    pub(super) without_hash: Vec<String>,
}

pub(super) struct View {
    pub(super) partitions: BTreeMap<String, PartitionView>,
}

impl View {
    /// Sorts the keys; reports those that no code of ours writes, and events that cannot be read.
    pub(super) fn read(keyspace: &Keyspace, report: &mut Report) -> Self {
        let mut partitions: BTreeMap<String, PartitionView> = BTreeMap::new();
        let whole = format!("{{{}}}:", keyspace.namespace);
        let start = format!("{{{}:", keyspace.namespace);
        for (key, stored) in &keyspace.keys {
            if let Some(name) = key.strip_prefix(&whole) {
                let lapses = stored.expires
                    && ["worker:", "hour:", "session:"]
                        .iter()
                        .any(|start| name.starts_with(start));
                let stays = [
                    "meta",
                    "agents",
                    "definitions",
                    "workers",
                    "chores",
                    "keys",
                    "keys:used",
                    "audit",
                ];
                let webhooks = [s::WEBHOOKS, s::WEBHOOK_OWNERS].contains(&name);
                if !lapses && !webhooks && !stays.contains(&name) {
                    report.add(
                        Rule::Belongings,
                        key,
                        "an unknown key, or one without an expiry",
                    );
                }
                continue;
            }
            let Some((number, name)) = key.strip_prefix(&start).and_then(|k| k.split_once("}:"))
            else {
                report.add(Rule::Belongings, key, "outside of every partition");
                continue;
            };
            let partition = partitions.entry(number.to_owned()).or_default();
            if partition.take(key, name, stored, report).is_none() {
                report.add(
                    Rule::Belongings,
                    key,
                    "an unknown key, or one of the wrong kind",
                );
            }
        }
        for partition in partitions.values_mut() {
            partition.set_aside_those_without_hash();
            partition.join_inputs();
        }
        Self { partitions }
    }
}

impl PartitionView {
    fn take(&mut self, key: &str, name: &str, stored: &Stored, report: &mut Report) -> Option<()> {
        let content = &stored.content;
        if let Some(task) = name.strip_prefix(s::TASK) {
            let (id, part) = task.find(':').map_or((task, ""), |at| task.split_at(at));
            let task = self.tasks.entry(id.to_owned()).or_default();
            match part {
                "" => task.fields = hash(content)?,
                s::LOG => task.log = list(content)?,
                s::EVENTS => task.events = read_events(key, list(content)?, report),
                s::INBOX => task.inbox = list(content)?,
                s::SEEN => drop(set(content)?),
                s::WAITS => task.waits = hash(content)?,
                s::CHILDREN => task.children = set(content)?,
                s::OFFSPRING => task.offspring = list(content)?,
                s::HOOK => task.webhook = Some(text(content)?),
                _ => return None,
            }
        } else if let Some(own) = name.strip_prefix(s::READY) {
            self.ready.insert(own.to_owned(), sorted(content)?);
        } else if let Some(agent) = name.strip_prefix(s::RING) {
            self.rings.insert(agent.to_owned(), sorted(content)?);
        } else if let Some(agent) = name.strip_prefix(s::WAKE) {
            self.wakes.insert(agent.to_owned(), list(content)?);
        } else if let Some(agent) = name.strip_prefix(s::BY_AGENT) {
            self.by_agent.insert(agent.to_owned(), sorted(content)?);
        } else if let Some(owner) = name.strip_prefix(s::BY_OWNER) {
            self.by_owner.insert(owner.to_owned(), sorted(content)?);
        } else if let Some(batch) = name.strip_prefix(s::BATCH) {
            if let Some(id) = batch.strip_suffix(s::EVENTS) {
                let events = read_events(key, list(content)?, report);
                self.batch_events.insert(id.to_owned(), events);
            } else if let Some(id) = batch.strip_suffix(s::HOOK) {
                self.batch_webhooks.insert(id.to_owned(), text(content)?);
            } else {
                self.batches.insert(batch.to_owned(), hash(content)?);
            }
        } else if let Some(log) = name.strip_prefix(s::DELIVERIES) {
            self.delivery_logs.insert(log.to_owned(), list(content)?);
            return stored.expires.then_some(());
        } else if let Some(id) = name.strip_prefix(s::DELIVERY) {
            let delivery = (hash(content)?, stored.expires);
            self.deliveries.insert(id.to_owned(), delivery);
        } else if is_batch_place(name) {
            self.batch_places.insert(name.to_owned(), sorted(content)?);
        } else if name.starts_with(s::DONE) || [s::LEASE, s::DELAY, s::PENDING].contains(&name) {
            self.places.insert(name.to_owned(), sorted(content)?);
        } else if [s::TIMELINE, s::IDEMPOTENCY, s::FEED]
            .iter()
            .any(|kept| name.starts_with(kept))
            || name == s::FOLLOWED
        {
            return stored.expires.then_some(());
        } else {
            match name {
                s::DEADLINE => self.deadlines = sorted(content)?,
                s::CASCADE => self.cascade = list(content)?,
                s::ORPHANS => self.orphans = list(content)?,
                s::OUTBOX => self.outbox = sorted(content)?,
                s::HOOKS => drop(hash(content)?),
                s::AWAIT => self.awaits = sorted(content)?,
                s::ASKED => self.asked = sorted(content)?,
                s::COUNTS => self.counts = hash(content)?,
                s::SEQ => drop(hash(content)?),
                _ => return None,
            }
        }
        Some(())
    }

    /// A short input is in the hash, the rest of its conversation in the list.
    fn join_inputs(&mut self) {
        for task in self.tasks.values_mut() {
            let parts = (0..8).map_while(|i| task.fields.get(&format!("i{i}")));
            let input: String = parts.map(String::as_str).collect();
            if !input.is_empty() {
                task.log.insert(0, input);
            }
        }
    }

    fn set_aside_those_without_hash(&mut self) {
        let gone: Vec<String> = self
            .tasks
            .iter()
            .filter(|(_, t)| t.fields.is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.tasks.remove(&id);
            self.without_hash.push(id);
        }
    }
}

fn is_batch_place(name: &str) -> bool {
    let done = name
        .strip_prefix(s::DONE)
        .is_some_and(|what| what == "batch");
    done || name.starts_with(s::OWNER_BATCHES)
        || [s::BATCHES, s::FILLING, s::CANCELLING].contains(&name)
}

/// Stored as `<ms> <attempt> <turn> <type> <data>`; the position is the `seq`, so only the order can be wrong.
fn read_events(key: &str, stored: Vec<String>, report: &mut Report) -> Vec<LoggedEvent> {
    let mut events: Vec<LoggedEvent> = Vec::with_capacity(stored.len());
    for (i, text) in stored.into_iter().enumerate() {
        let Some(event) = read_event(&text) else {
            report.add(Rule::Events, key, format!("[{i}] cannot be read: {text}"));
            continue;
        };
        if let Some(last) = events.last()
            && (last.at_ms > event.at_ms || last.attempt > event.attempt)
        {
            report.add(
                Rule::Events,
                key,
                format!("[{i}] is older than the one before it"),
            );
        }
        events.push(event);
    }
    events
}

fn read_event(text: &str) -> Option<LoggedEvent> {
    let mut parts = text.splitn(5, ' ');
    let at_ms = parts.next()?.parse().ok()?;
    let attempt = parts.next()?.parse().ok()?;
    let _turn: u32 = parts.next()?.parse().ok()?;
    let name = parts.next()?.to_owned();
    let data: Value = serde_json::from_str(parts.next()?).ok()?;
    (data.is_object() && !name.is_empty()).then_some(LoggedEvent {
        at_ms,
        attempt,
        name,
        data,
    })
}

fn hash(content: &Content) -> Option<BTreeMap<String, String>> {
    if let Content::Hash(fields) = content {
        Some(fields.clone())
    } else {
        None
    }
}

fn text(content: &Content) -> Option<String> {
    if let Content::Text(text) = content {
        Some(text.clone())
    } else {
        None
    }
}

fn list(content: &Content) -> Option<Vec<String>> {
    if let Content::List(items) = content {
        Some(items.clone())
    } else {
        None
    }
}

fn set(content: &Content) -> Option<BTreeSet<String>> {
    if let Content::Set(members) = content {
        Some(members.clone())
    } else {
        None
    }
}

fn sorted(content: &Content) -> Option<BTreeMap<String, i64>> {
    if let Content::Sorted(members) = content {
        Some(members.clone())
    } else {
        None
    }
}
