//! `claim.lua`: leases queued tasks to a worker.

use std::time::Duration;

use crate::{
    conversation::Entry,
    error::StoreError,
    ids::{AgentName, Partition, TaskId, WorkerId},
    script::{Reply, Script, script},
    store::{Held, Store},
    task::{TaskRecord, TaskState},
    wait::Wait,
};

static CLAIM: Script = script!("claim");

/// Entries of a conversation that come with a claim; longer ones are read on.
const ENTRIES: u64 = 64;

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// Where.
    pub partition: Partition,
    /// Who.
    pub worker: &'a WorkerId,
    /// Of which agent.
    pub agent: &'a AgentName,
    /// How many at most.
    pub most: usize,
    /// For how long.
    pub lease: Duration,
    /// Of this call, counted up by the worker in this partition. A call without an answer is repeated under its number:
    /// then it returns what it leased at first, also when it asks for another agent.
    pub number: u64,
}

/// A task that was leased.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What every write must carry.
    pub held: Held,
    /// The record, as of the claim.
    pub record: TaskRecord,
    /// The first entries of the conversation: all of them when `length` is no more.
    pub entries: Vec<Entry>,
    /// Entries in the conversation.
    pub length: u64,
    /// What it awaits or has awaited, by key.
    pub waits: Vec<Wait>,
    /// An entry could not be read; the conversation ends before it.
    pub corrupt: Option<String>,
    /// Time of the claim, ms since the Unix epoch, by Redis.
    pub claimed_ms: u64,
    /// Since when it was queued, the same.
    pub ready_ms: u64,
}

impl Store {
    /// Leases up to `most` tasks: highest priority first, owners in turn, oldest first.
    ///
    /// # Errors
    /// When Redis does not answer: what may have been leased comes with a call of the same number, or is recovered when
    /// the lease expires.
    pub async fn claim(&self, request: ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        let reply = CLAIM
            .on(&self.base(request.partition))
            .arg(request.worker.as_str())
            .arg(request.agent.as_str())
            .arg(request.most)
            .arg(request.lease.as_millis().to_string())
            .arg(ENTRIES)
            .arg(&self.0.timeline_arg)
            .arg(request.number)
            .run(&self.0.link)
            .await?;
        parse(reply, request.worker)
    }
}

/// What the script has leased.
fn parse(mut reply: Reply, worker: &WorkerId) -> Result<Vec<Claimed>, StoreError> {
    let replayed = match reply.text()?.as_str() {
        "empty" => return Ok(Vec::new()),
        "claimed" => false,
        "replayed" => true,
        other => return Err(reply.corrupt(other)),
    };
    let claimed_ms = reply.count()?;
    let mut claimed = Vec::new();
    while !reply.is_empty() {
        let head = reply.text()?;
        let mut words = head.split(' ');
        let mut word = || {
            words
                .next()
                .ok_or_else(|| StoreError::corrupt("claim", &*head))
        };
        let number = |text: &str| {
            text.parse()
                .map_err(|_| StoreError::corrupt("claim", &*head))
        };
        let id: TaskId = word()?
            .parse()
            .map_err(|_| StoreError::corrupt("claim", &*head))?;
        let token = number(word()?)?;
        let mut length = number(word()?)?;
        let fields = reply.text()?.split('\n').map(str::to_owned).collect();
        let Some(mut record) = TaskRecord::decode(&id, fields)? else {
            return Err(reply.corrupt("task without fields"));
        };
        if !replayed {
            record.state = TaskState::Processing;
            record.worker = Some(worker.clone());
            record.attempts += 1;
            record.started_ms = record.started_ms.or(i64::try_from(claimed_ms).ok());
        }
        let mut texts = reply.array()?.texts()?;
        if let Some(input) = record.inline_input.take() {
            texts.insert(0, input);
            length += 1;
        }
        let waits = Wait::decode_all(reply.map()?.texts()?)?;
        let mut entries = Vec::with_capacity(texts.len());
        let mut corrupt = None;
        for text in &texts {
            match Entry::decode(text) {
                Ok(entry) => entries.push(entry),
                Err(e) => {
                    corrupt = Some(e.to_string());
                    break;
                }
            }
        }
        claimed.push(Claimed {
            held: Held { id, token },
            entries,
            length,
            waits,
            corrupt,
            ready_ms: record.ready_ms.unwrap_or(claimed_ms).min(claimed_ms),
            record,
            claimed_ms,
        });
    }
    Ok(claimed)
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use deadpool_redis::redis::Value;

    /// Items separated by `|`: `:n` is a number, `*n` an array of the next n, all else a text.
    fn items(texts: &mut std::str::Split<'_, char>, most: usize, depth: usize) -> Vec<Value> {
        let mut items = Vec::new();
        while items.len() < most
            && let Some(text) = texts.next()
        {
            let number = |prefix| {
                text.strip_prefix(prefix)
                    .and_then(|n: &str| n.parse::<i64>().ok())
            };
            items.push(match (number(':'), number('*')) {
                (Some(n), _) => Value::Int(n),
                (_, Some(n)) if depth < 3 => Value::Array(self::items(
                    texts,
                    usize::try_from(n).unwrap_or(0),
                    depth + 1,
                )),
                _ => Value::BulkString(text.as_bytes().to_vec()),
            });
        }
        items
    }

    #[test]
    fn fuzz_claim_reply() {
        let record = "priority\n5\nstate\nqueued\nagent\nresearcher\nowner\nme\ncreated\n1700000000000\nattempts\n3\nbytes\n20";
        let inline = format!("{record}\ni0\n{{\"output\":\ni1\n{{}}}}");
        let wait = "c1|? caller 1 2 7@1";
        let task =
            format!("0-01hf7yat000000000000000010 7 1|{record}|*1|{{\"output\":{{}}}}|*2|{wait}");
        let other = format!("3-01hf7yat000000000000000011 8 0|{inline}|*0|*0");
        let seeds = [
            format!("claimed|:1700000000000|{task}|{other}"),
            format!("replayed|:1700000000000|{other}"),
            "empty".to_owned(),
        ];
        let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
        let worker = WorkerId::new("w-1");
        let Ok(worker) = worker else {
            return assert!(worker.is_ok());
        };
        let read = |text: &str| {
            let reply = Reply::new("claim", items(&mut text.split('|'), usize::MAX, 0));
            parse(reply, &worker)
        };
        for (seed, tasks) in seeds.iter().zip([2, 1, 0]) {
            assert_eq!(
                read(seed).map(|tasks| tasks.len()).ok(),
                Some(tasks),
                "{:?}",
                read(seed)
            );
        }
        factorial_fuzz::texts(&seeds, |text| {
            let _ = read(text);
        });
    }
}
