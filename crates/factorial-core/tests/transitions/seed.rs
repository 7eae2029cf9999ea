//! Tasks, entries and writes to seed with.

use std::collections::BTreeMap;

use factorial_core::{
    Commit, Ending, Entry, EventType, Failure, Finish, Held, InputMessage, NewEvent, NewTask,
    NewWait, OwnerId, Parent, Priority, Role, Start, TaskId, WaitKey, WaitKind,
};
use serde_json::json;

/// A task of agent `a` and owner `o` that starts now.
pub(crate) fn new_task(id: TaskId) -> NewTask {
    NewTask {
        id,
        agent: "a".parse().unwrap(),
        owner: owner("o"),
        priority: Priority::DEFAULT,
        start: Start::Now,
        input: Entry::Input {
            messages: Vec::new(),
            query: Some("hi".to_owned()),
            context: None,
        },
        previous: None,
        parent: None,
        batch: None,
        stream: false,
        deadline: None,
        limits: None,
        metadata: BTreeMap::new(),
        tools: None,
        webhook: None,
        trace: None,
        idempotency: None,
    }
}

pub(crate) fn owner(name: &str) -> OwnerId {
    OwnerId::new(name).unwrap()
}

pub(crate) fn highest() -> Priority {
    Priority::try_from(9).unwrap()
}

pub(crate) fn message(text: &str) -> InputMessage {
    InputMessage {
        role: Role::User,
        content: text.to_owned(),
    }
}

pub(crate) fn steered(texts: &[&str]) -> Vec<Entry> {
    texts
        .iter()
        .map(|t| Entry::Steer {
            role: Role::User,
            content: (*t).to_owned(),
        })
        .collect()
}

pub(crate) fn reply(turn: u32, text: &str) -> Entry {
    Entry::Reply {
        turn,
        content: text.to_owned(),
        tool_calls: Vec::new(),
        reasoning: None,
    }
}

/// A commit of one reply, with its usage: 10 tokens in and 2 out for each turn so far.
pub(crate) fn turn(write: u64, known: u64, number: u32) -> Commit {
    let data = json!({
        "model": "m",
        "usage": { "input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 2, "reasoning_tokens": 0 },
    });
    let total = u64::from(number);
    let usage = factorial_core::Usage {
        input: 10 * total,
        output: 2 * total,
        ..Default::default()
    };
    Commit {
        write,
        known,
        entries: vec![reply(number, "text")],
        turns: Some(number),
        usage: [("m".to_owned(), usage)].into(),
        events: vec![NewEvent {
            event_type: EventType::CompletionCompleted,
            turn: number,
            data,
        }],
        ..Commit::default()
    }
}

/// An end with nothing but a number.
pub(crate) fn completed(write: u64, known: u64) -> Finish {
    let last = Commit {
        write,
        known,
        ..Commit::default()
    };
    Finish {
        plain: None,
        last,
        ending: Ending::Completed(Some(json!("done"))),
        answer: Some(json!("done")),
    }
}

pub(crate) fn failure() -> Failure {
    Failure {
        kind: "model_error".to_owned(),
        message: "no".to_owned(),
        status: Some(500),
    }
}

pub(crate) fn failed(write: u64, known: u64) -> Finish {
    let last = Commit {
        write,
        known,
        ..Commit::default()
    };
    Finish {
        plain: None,
        last,
        ending: Ending::Failed(failure()),
        answer: None,
    }
}

/// The wait for the first child of a call.
pub(crate) fn child_of(call: &str) -> WaitKey {
    WaitKey::Child(call.to_owned(), 0)
}

pub(crate) fn call(name: &str) -> WaitKey {
    WaitKey::Call(name.to_owned())
}

pub(crate) fn approval(call: &str) -> WaitKey {
    WaitKey::Approval(call.to_owned())
}

/// Spawned under a lease, without a deadline for the answer.
pub(crate) fn spawned(held: &Held, wait: Option<WaitKey>) -> Parent {
    Parent {
        held: held.clone(),
        wait,
        timeout: None,
        answer_bytes: 1_000,
        max_depth: 32,
        max_descendants: 1_000_000,
    }
}

/// A wait that the reply at index 1 of the conversation asks for, without a deadline.
pub(crate) fn asks(kind: WaitKind, key: WaitKey) -> NewWait {
    NewWait {
        version: (kind == WaitKind::Approval).then(|| "v1".to_owned()),
        key,
        kind,
        timeout: None,
        entry: 1,
    }
}
