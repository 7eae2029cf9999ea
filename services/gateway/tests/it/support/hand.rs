//! A worker driven by hand, through the store.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use factorial_core::{
    AgentAnnouncement, AgentName, ClaimRequest, Claimed, Commit, CommitOutcome, Ending, Entry,
    EventType, Failure, Finish, FinishOutcome, NewEvent, Store, Usage, WorkerAgentSlots,
    WorkerAnnouncement, WorkerId,
};
use serde_json::{Value, json};

use super::eventually;

pub(super) const LEASE: Duration = Duration::from_secs(60);

pub(crate) struct Hand {
    pub(super) store: Store,
    worker: WorkerId,
}

/// Number of the last claim, by whichever hand: they share a name.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Schema of the tool `publish`, which needs an approval.
fn publish() -> Value {
    json!({
        "type": "object", "required": ["title"],
        "properties": {"title": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    })
}

impl Hand {
    pub(crate) fn new(store: Store) -> Self {
        let worker = WorkerId::new("hand-1").unwrap();
        Self { store, worker }
    }

    pub(crate) async fn announce(&self, agents: &[&str]) {
        self.announce_with(agents, None).await;
    }

    /// Announces agents whose submissions have a context of this schema.
    pub(crate) async fn announce_with(&self, agents: &[&str], context_schema: Option<Value>) {
        let name = |name: &&str| AgentName::new(name).unwrap();
        let slots = agents.iter().map(|agent| WorkerAgentSlots {
            name: name(agent),
            slots: 25,
            running: 1,
        });
        let worker = WorkerAnnouncement {
            id: self.worker.clone(),
            host: "host".to_owned(),
            pid: 7,
            version: "1".to_owned(),
            started_ms: 1_700_000_000_000,
            seen_ms: 0,
            draining: false,
            agents: slots.collect(),
        };
        let agents = agents.iter().map(|agent| AgentAnnouncement {
            name: name(agent),
            description: Some("writes".to_owned()),
            version: "v1".to_owned(),
            model: Some("openai/gpt".to_owned()),
            tools: vec!["calculator".to_owned()],
            approvals: BTreeMap::from([("publish".to_owned(), publish())]),
            context_schema: context_schema.clone(),
            definition: None,
            seen_ms: 0,
        });
        let agents: Vec<_> = agents.collect();
        self.store.announce(&worker, &agents, LEASE).await.unwrap();
    }

    /// The next task of `writer`, in whichever partition.
    pub(crate) async fn claim(&self) -> Claimed {
        let agent = AgentName::new("writer").unwrap();
        eventually("a task to claim", async || {
            for partition in self.store.all_partitions() {
                let request = ClaimRequest {
                    partition,
                    worker: &self.worker,
                    agent: &agent,
                    most: 1,
                    lease: LEASE,
                    number: CALLS.fetch_add(1, Ordering::Relaxed) + 1,
                };
                if let Some(claimed) = self.store.claim(request).await.unwrap().pop() {
                    return Some(claimed);
                }
            }
            None
        })
        .await
    }

    /// Commits a turn with a reply and so many events; gives the length of the conversation.
    pub(crate) async fn turn(&self, claimed: &mut Claimed, turn: u32, events: u32, text: &str) {
        let reply = Entry::Reply {
            turn,
            content: text.to_owned(),
            tool_calls: Vec::new(),
            reasoning: None,
        };
        let event = |n| NewEvent {
            event_type: EventType::CompletionChunk,
            turn,
            data: json!({"text": format!("{text}{n}")}),
        };
        let usage = Usage {
            input: 10,
            output: 5,
            ..Usage::default()
        };
        let commit = Commit {
            write: u64::from(turn),
            known: claimed.length,
            entries: vec![reply],
            turns: Some(turn),
            usage: BTreeMap::from([("openai/gpt".to_owned(), usage)]),
            events: (0..events).map(event).collect(),
            ..Commit::default()
        };
        let outcome = self
            .store
            .commit(&claimed.held, &commit, true, LEASE)
            .await
            .unwrap();
        let CommitOutcome::Committed(steering) = outcome else {
            panic!("{outcome:?}");
        };
        claimed.length += 1 + steering.len() as u64;
    }

    pub(crate) async fn complete(&self, claimed: &Claimed, output: Option<Value>) {
        self.finish(claimed, Ending::Completed(output)).await;
    }

    pub(crate) async fn fail(&self, claimed: &Claimed) {
        let failure = Failure {
            kind: "authentication".to_owned(),
            message: "no".to_owned(),
            status: Some(401),
        };
        self.finish(claimed, Ending::Failed(failure)).await;
    }

    async fn finish(&self, claimed: &Claimed, ending: Ending) {
        let last = Commit {
            write: 1_000_000,
            known: claimed.length,
            ..Commit::default()
        };
        let finish = Finish {
            plain: None,
            last,
            ending,
            answer: None,
        };
        let outcome = self
            .store
            .finish(&claimed.held, &finish, LEASE)
            .await
            .unwrap();
        assert_eq!(outcome, FinishOutcome::Finished);
    }
}
