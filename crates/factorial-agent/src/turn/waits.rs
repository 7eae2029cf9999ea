//! What a run knows of the waits of its task.
//!
//! Begun with what the task had when it was claimed; kept up by the turn loop with each commit.
//! Invariant: what is open here was registered; what is not open any more may still be open here until the task parks.

use std::collections::{BTreeMap, BTreeSet};

use crate::{NewWait, ParkedFor, SpawnRefusal, Wait, WaitKey, WaitKind, WaitStatus};

/// What became of a child that nobody waits for, or that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    /// Its task id.
    Accepted(String),
    /// A stable name and a sentence for the model.
    Refused(&'static str, String),
}

impl From<SpawnRefusal> for Made {
    fn from(refusal: SpawnRefusal) -> Self {
        Self::Refused(refusal.as_str(), refusal.to_string())
    }
}

/// The waits of a task, and what this run has done about them.
#[derive(Debug, Default)]
pub(super) struct Waits {
    all: BTreeMap<WaitKey, Wait>,
    made: BTreeMap<WaitKey, Made>,
    /// Deferred calls that this run has registered.
    asked: BTreeSet<String>,
    /// Deferred calls that this run has sent.
    sent: BTreeSet<String>,
}

impl Waits {
    pub(super) fn new(waits: Vec<Wait>) -> Self {
        let mut this = Self::default();
        this.replace(waits);
        this
    }

    /// Takes over what the journal says.
    pub(super) fn replace(&mut self, waits: Vec<Wait>) {
        self.all = waits
            .into_iter()
            .map(|wait| (wait.key.clone(), wait))
            .collect();
    }

    pub(super) fn get(&self, key: &WaitKey) -> Option<&Wait> {
        self.all.get(key)
    }

    /// The children of a call that are or were waited for, by index.
    pub(super) fn children(&self, call: &str) -> impl Iterator<Item = (u32, &WaitStatus)> {
        let range = WaitKey::Child(call.to_owned(), 0)..=WaitKey::Child(call.to_owned(), u32::MAX);
        self.all.range(range).filter_map(|(key, wait)| match key {
            WaitKey::Child(_, index) => Some((*index, &wait.status)),
            WaitKey::Call(_) | WaitKey::Approval(_) => None,
        })
    }

    /// What this run was told about a child that it does not wait for.
    pub(super) fn made(&self, key: &WaitKey) -> Option<&Made> {
        self.made.get(key)
    }

    /// A child was made without being waited for, or was not made.
    pub(super) fn note(&mut self, key: WaitKey, made: Made) {
        self.made.insert(key, made);
    }

    /// A child is waited for.
    pub(super) fn awaits(&mut self, key: WaitKey) {
        let wait = Wait {
            key: key.clone(),
            kind: WaitKind::Child,
            version: None,
            status: WaitStatus::Open,
        };
        // Its answer may be known already.
        self.all.entry(key).or_insert(wait);
    }

    /// A wait was registered by the agent of this version.
    pub(super) fn opened(&mut self, wait: NewWait, version: &str) {
        if let WaitKey::Call(call) = &wait.key {
            self.asked.insert(call.clone());
        }
        let version = (wait.kind == WaitKind::Approval).then(|| version.to_owned());
        let wait = Wait {
            key: wait.key,
            kind: wait.kind,
            version,
            status: WaitStatus::Open,
        };
        self.all.insert(wait.key.clone(), wait);
    }

    /// Answers were taken.
    pub(super) fn took(&mut self, keys: &[WaitKey]) {
        for key in keys {
            if let Some(wait) = self.all.get_mut(key)
                && let WaitStatus::Answered(outcome, _) = wait.status
            {
                wait.status = WaitStatus::Taken(outcome);
            }
        }
    }

    /// A deferred call was sent by this run.
    pub(super) fn sent(&mut self, call: &str) {
        self.sent.insert(call.to_owned());
    }

    /// Whether an open deferred call is to be sent: not twice by one run, and not twice at all `at_most_once`.
    pub(super) fn to_send(&self, call: &str, at_most_once: bool) -> bool {
        !self.sent.contains(call) && (!at_most_once || self.asked.contains(call))
    }

    /// The keys of a call whose answers are there and not taken.
    pub(super) fn to_take(&self, call: &str) -> Vec<WaitKey> {
        let mut keys = Vec::new();
        for key in [
            WaitKey::Approval(call.to_owned()),
            WaitKey::Call(call.to_owned()),
        ] {
            if let Some(Wait {
                status: WaitStatus::Answered(..),
                ..
            }) = self.all.get(&key)
            {
                keys.push(key);
            }
        }
        let answered = self
            .children(call)
            .filter(|(_, status)| matches!(status, WaitStatus::Answered(..)));
        keys.extend(answered.map(|(index, _)| WaitKey::Child(call.to_owned(), index)));
        keys
    }

    /// What the task would be parked for.
    pub(super) fn parked_for(&self) -> ParkedFor {
        let mut open = self
            .all
            .values()
            .filter(|wait| wait.status == WaitStatus::Open);
        if open.all(|wait| wait.kind == WaitKind::Child) {
            ParkedFor::Children
        } else {
            ParkedFor::Answers
        }
    }
}
