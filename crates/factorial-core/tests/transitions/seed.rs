//! Tasks, entries and writes to seed with.

use std::collections::BTreeMap;

use factorial_core::{
    Commit, Ending, Entry, EventType, Failure, Finish, InputMessage, NewEvent, NewTask, OwnerId,
    Priority, Role, Start, TaskId,
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
        idempotency: None,
    }
}

pub(crate) fn owner(name: &str) -> OwnerId {
    OwnerId::new(name).unwrap()
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
        last,
        ending: Ending::Completed(Some(json!("done"))),
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
        last,
        ending: Ending::Failed(failure()),
    }
}
