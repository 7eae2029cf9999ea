//! Reading tasks: records, conversations, events, results, counters.

use std::collections::BTreeMap;

use deadpool_redis::redis;
use serde_json::Value;

use crate::{
    conversation::{Entry, PARTS},
    error::StoreError,
    event::Event,
    ids::{AgentName, OwnerId, Partition, TaskId},
    script::Reply,
    store::Store,
    task::{TaskRecord, TaskState},
    wait::Wait,
};

/// Tasks by agent and state.
pub type Counts = BTreeMap<(AgentName, TaskState), u64>;

/// The output that the last two entries of a conversation hold.
fn output_of(last: Vec<Entry>) -> Option<Value> {
    let mut text = None;
    for entry in last {
        match entry {
            Entry::Output { value: Some(value) } => return Some(value),
            Entry::Output { value: None } => return text.map(Value::String),
            Entry::Reply { content, .. } => text = Some(content),
            _ => {}
        }
    }
    None
}

/// The first entry of a conversation, if it is in the hash: the next reply.
fn inline(replies: &mut Reply) -> Result<Option<String>, StoreError> {
    let mut parts = replies.array()?;
    let mut input = String::new();
    while let Some(part) = parts.text_or_nil()? {
        input.push_str(&part);
        if parts.is_empty() {
            break;
        }
    }
    Ok(Some(input).filter(|input| !input.is_empty()))
}

impl Store {
    /// The record of a task.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn task(&self, id: &TaskId) -> Result<Option<TaskRecord>, StoreError> {
        Ok(self.tasks(std::slice::from_ref(id)).await?.pop().flatten())
    }

    /// Whose task it is; `None`: there is no such task.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn task_owner(&self, id: &TaskId) -> Result<Option<OwnerId>, StoreError> {
        let mut cmd = redis::cmd("HGET");
        cmd.arg(self.0.keys.task(id)).arg("owner");
        let mut reply = Reply::new("task", vec![self.0.link.command(&cmd).await?]);
        let owner = reply.text_or_nil()?;
        owner
            .map(|owner| OwnerId::new(&owner).map_err(|_| reply.corrupt(owner)))
            .transpose()
    }

    /// The records of tasks, in the same order; `None` for one that does not exist.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn tasks(&self, ids: &[TaskId]) -> Result<Vec<Option<TaskRecord>>, StoreError> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.cmd("HGETALL").arg(self.0.keys.task(id));
        }
        let mut replies = Reply::new("task", self.0.link.pipeline(&pipe).await?);
        ids.iter()
            .map(|id| TaskRecord::decode(id, replies.map()?.texts()?))
            .collect()
    }

    /// Entries of a conversation from an index on, at most `limit`.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn entries(
        &self,
        id: &TaskId,
        from: u64,
        limit: u64,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("HMGET").arg(self.0.keys.task(id)).arg(&PARTS);
        // The list has the entries from 0 on, or from 1 on: one more than asked for is in it either way.
        let first = from.saturating_sub(1);
        pipe.cmd("LRANGE")
            .arg(self.0.keys.log(id))
            .arg(first)
            .arg(from.saturating_add(limit).saturating_sub(1));
        let mut replies = Reply::new("conversation entry", self.0.link.pipeline(&pipe).await?);
        let input = inline(&mut replies)?;
        let listed = replies.array()?.texts()?;
        let passed = usize::from(input.is_none() && from > 0);
        let texts = input.into_iter().filter(|_| from == 0);
        texts
            .chain(listed.into_iter().skip(passed))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|text| Entry::decode(&text))
            .collect()
    }

    /// What a task awaits or has awaited, by key.
    ///
    /// # Errors
    /// When Redis does not answer, or a wait cannot be read.
    pub async fn waits(&self, id: &TaskId) -> Result<Vec<Wait>, StoreError> {
        let mut cmd = redis::cmd("HGETALL");
        cmd.arg(self.0.keys.waits(id));
        let mut reply = Reply::new("wait", vec![self.0.link.command(&cmd).await?]);
        Wait::decode_all(reply.map()?.texts()?)
    }

    /// Single entries of conversations, in the same order; `None` for one that is not there.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn entries_at(
        &self,
        places: &[(TaskId, u64)],
    ) -> Result<Vec<Option<Entry>>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for (id, index) in places {
            pipe.cmd("HMGET").arg(self.0.keys.task(id)).arg(&PARTS);
            let key = self.0.keys.log(id);
            let before = index.saturating_sub(1);
            pipe.cmd("LRANGE").arg(key).arg(before).arg(*index);
        }
        let mut replies = Reply::new("conversation entry", self.0.link.pipeline(&pipe).await?);
        places
            .iter()
            .map(|(_, index)| {
                let input = inline(&mut replies)?;
                let mut listed = replies.array()?.texts()?.into_iter();
                let text = match (input, index) {
                    (Some(input), 0) => Some(input),
                    (Some(_), _) | (None, 0) => listed.next(),
                    (None, _) => listed.nth(1),
                };
                text.map(|text| Entry::decode(&text)).transpose()
            })
            .collect()
    }

    /// Children of tasks, in the order in which they were spawned; at most `most` of each.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn children(
        &self,
        ids: &[TaskId],
        most: usize,
    ) -> Result<Vec<Vec<TaskId>>, StoreError> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.cmd("LRANGE")
                .arg(self.0.keys.offspring(id))
                .arg(0)
                .arg(most.saturating_sub(1));
        }
        let mut replies = Reply::new("children", self.0.link.pipeline(&pipe).await?);
        ids.iter()
            .map(|_| {
                let texts = replies.array()?.texts()?;
                texts
                    .into_iter()
                    .map(|id| id.parse().map_err(|_| StoreError::corrupt("children", id)))
                    .collect()
            })
            .collect()
    }

    /// Events after a `seq`, at most `limit`, and the `seq` of the last one there is.
    ///
    /// # Errors
    /// When Redis does not answer, or an event cannot be read.
    pub async fn events(
        &self,
        id: &TaskId,
        after: u64,
        limit: u64,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("HMGET")
            .arg(self.0.keys.task(id))
            .arg("created")
            .arg("delayed");
        let key = self.0.keys.events(id);
        // The first event is the record itself, so the second one is the first of the list.
        let from = after.saturating_sub(1);
        pipe.cmd("LRANGE")
            .arg(&key)
            .arg(from)
            .arg(from.saturating_add(limit).saturating_sub(1));
        pipe.cmd("LLEN").arg(&key);
        let mut replies = Reply::new("event", self.0.link.pipeline(&pipe).await?);
        let mut fields = replies.array()?;
        let Some(created) = fields.text_or_nil()? else {
            return Ok((Vec::new(), 0));
        };
        let mut events = Vec::new();
        if after == 0 {
            let created = created
                .parse()
                .map_err(|_| StoreError::corrupt("task", format!("created: {created}")))?;
            events.push(Event::enqueued(created, fields.text_or_nil()?.is_some())?);
        }
        for (text, seq) in replies.array()?.texts()?.iter().zip(from + 2..) {
            events.push(Event::decode(seq, text)?);
        }
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((events, replies.count()? + 1))
    }

    pub(crate) async fn events_of(
        &self,
        what: &'static str,
        key: &str,
        after: u64,
        limit: u64,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("LRANGE")
            .arg(key)
            .arg(after)
            .arg(after.saturating_add(limit).saturating_sub(1));
        pipe.cmd("LLEN").arg(key);
        let mut replies = Reply::new(what, self.0.link.pipeline(&pipe).await?);
        let texts = replies.array()?.texts()?;
        let last = replies.count()?;
        let events = texts
            .iter()
            .zip(after + 1..)
            .map(|(text, seq)| Event::decode(seq, text))
            .collect::<Result<_, _>>()?;
        Ok((events, last))
    }

    /// The output of a completed task: the last entry, or the text of the last reply.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn output(&self, id: &TaskId) -> Result<Option<Value>, StoreError> {
        Ok(self
            .outputs(std::slice::from_ref(id))
            .await?
            .pop()
            .flatten())
    }

    /// The outputs of completed tasks, in the same order.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn outputs(&self, ids: &[TaskId]) -> Result<Vec<Option<Value>>, StoreError> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.cmd("LRANGE").arg(self.0.keys.log(id)).arg(-2).arg(-1);
        }
        let mut replies = Reply::new("conversation entry", self.0.link.pipeline(&pipe).await?);
        ids.iter()
            .map(|_| Ok(output_of(Entry::decode_all(&replies.array()?.texts()?)?)))
            .collect()
    }

    /// Tasks by agent and state, all partitions together.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let mut counts = Counts::new();
        for partition in self.counts_by_partition().await? {
            for (key, amount) in partition {
                *counts.entry(key).or_default() += amount;
            }
        }
        Ok(counts)
    }

    /// Tasks by agent and state, of each partition.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn counts_by_partition(&self) -> Result<Vec<Counts>, StoreError> {
        let mut pipe = redis::pipe();
        for partition in self.all_partitions() {
            pipe.cmd("HGETALL").arg(self.0.keys.counts(partition));
        }
        let mut replies = Reply::new("counts", self.0.link.pipeline(&pipe).await?);
        let mut all = Vec::new();
        for _ in self.all_partitions() {
            let mut counts = Counts::new();
            let mut fields = replies.map()?;
            while !fields.is_empty() {
                let name = fields.text()?;
                let amount = fields.int()?;
                let (agent, state) = name
                    .split_once(':')
                    .ok_or_else(|| StoreError::corrupt("counts", name.clone()))?;
                let agent = AgentName::new(agent)
                    .map_err(|e| StoreError::corrupt("counts", e.to_string()))?;
                *counts.entry((agent, state.parse()?)).or_default() +=
                    u64::try_from(amount).unwrap_or(0);
            }
            all.push(counts);
        }
        Ok(all)
    }

    /// Size of the index of a place (`lease`, `delay`, `pending`, `done:<state>`) in a partition.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn place_size(&self, partition: Partition, place: &str) -> Result<u64, StoreError> {
        let mut cmd = redis::cmd("ZCARD");
        cmd.arg(self.0.keys.place(partition, place));
        Reply::new("place", vec![self.0.link.command(&cmd).await?]).count()
    }

    pub(crate) async fn list(
        &self,
        place: &'static str,
        cmd: &redis::Cmd,
    ) -> Result<Vec<String>, StoreError> {
        Reply::new(place, vec![self.0.link.command(cmd).await?])
            .array()?
            .texts()
    }
}
