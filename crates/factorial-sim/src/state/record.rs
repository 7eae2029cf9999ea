//! The last requests, for tests to assert on.
//!
//! Written when a request has been parsed, closed when it ends. Invariant: a ring of fixed size, so that a load
//! generator can run for days.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use serde::Serialize;

/// Bytes of the last user text that are kept.
const TEXT_KEPT: usize = 4 * 1024;

/// One request for a completion.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRecord {
    /// Position among all requests since the start, from 0.
    pub sequence: u64,
    /// When it had been read whole.
    #[serde(skip)]
    pub arrival: Instant,
    /// The same in microseconds since the Unix epoch, to compare between processes of one machine.
    pub arrival_unix_us: u64,
    /// Model asked for.
    pub model: String,
    /// Messages in the conversation.
    pub messages: usize,
    /// Tools offered.
    pub tools: usize,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Last user text, at most its first 4 KiB.
    pub last_user_text: String,
    /// The `x-factorial-task` header.
    pub task: Option<String>,
    /// HTTP status of the response, once it is finished.
    pub status: Option<u16>,
    /// When the last of the response was handed to the connection.
    #[serde(skip)]
    pub answered: Option<Instant>,
    /// Whether the client closed the connection before the end.
    pub closed_early: bool,
}

/// What the handler knows of a request that it has parsed.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: usize,
    pub(crate) tools: usize,
    pub(crate) stream: bool,
    pub(crate) last_user_text: &'a str,
    pub(crate) task: Option<&'a str>,
}

impl RequestRecord {
    pub(super) fn new(sequence: u64, arrival: Instant, wall: SystemTime, seen: &Seen<'_>) -> Self {
        let since_epoch = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let text = seen.last_user_text;
        Self {
            sequence,
            arrival,
            arrival_unix_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
            model: seen.model.to_owned(),
            messages: seen.messages,
            tools: seen.tools,
            stream: seen.stream,
            last_user_text: text[..text.floor_char_boundary(TEXT_KEPT)].to_owned(),
            task: seen.task.map(str::to_owned),
            status: None,
            answered: None,
            closed_early: false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Ring {
    records: VecDeque<RequestRecord>,
    capacity: usize,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            records: VecDeque::new(),
            capacity,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn push(&mut self, record: RequestRecord) {
        if self.records.len() >= self.capacity {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// Newest first: a request that ends is most often a recent one.
    pub(super) fn find(&mut self, sequence: u64) -> Option<&mut RequestRecord> {
        self.records
            .iter_mut()
            .rev()
            .find(|record| record.sequence == sequence)
    }

    pub(super) fn all(&self) -> Vec<RequestRecord> {
        self.records.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }
}
