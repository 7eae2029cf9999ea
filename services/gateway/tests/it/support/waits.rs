//! What a worker does with tasks that wait: asking, parking, spawning.

use std::time::Duration;

use factorial_core::{
    AgentName, Claimed, Commit, CommitOutcome, Enqueued, Entry, Event, NewTask, NewWait, Parent,
    ParkOutcome, ParkedFor, ProgressOutcome, TaskId, ToolCall, Usage, WaitKey, WaitKind,
    WaitStatus,
};
use futures::StreamExt;
use serde_json::{Value, json};

use super::{Gateway, Hand, hand::LEASE};

/// A call that is answered from outside.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) call: String,
    pub(crate) kind: WaitKind,
    pub(crate) arguments: &'static str,
    pub(crate) timeout: Option<Duration>,
    pub(crate) version: &'static str,
}

impl Ask {
    pub(crate) fn new(kind: WaitKind, call: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            kind,
            arguments: "{\"title\":\"t\"}",
            timeout: Some(Duration::from_secs(600)),
            version: "v1",
        }
    }

    fn tool(&self) -> &'static str {
        match self.kind {
            WaitKind::Approval => "publish",
            WaitKind::Caller => "open_door",
            WaitKind::Operator | WaitKind::Child => "look_up",
        }
    }

    fn wait(&self, entry: u64) -> NewWait {
        let approval = self.kind == WaitKind::Approval;
        let call = self.call.clone();
        NewWait {
            key: if approval {
                WaitKey::Approval(call)
            } else {
                WaitKey::Call(call)
            },
            kind: self.kind,
            timeout: self.timeout,
            entry,
            version: approval.then(|| self.version.to_owned()),
        }
    }
}

impl Hand {
    /// Commits a reply that makes these calls, with what they await.
    pub(crate) async fn ask(&self, claimed: &mut Claimed, turn: u32, asks: &[Ask]) {
        let call = |ask: &Ask| ToolCall {
            id: ask.call.clone(),
            name: ask.tool().to_owned(),
            arguments: ask.arguments.to_owned(),
            signatures: Vec::new(),
        };
        let reply = Entry::Reply {
            turn,
            content: String::new(),
            tool_calls: asks.iter().map(call).collect(),
            reasoning: None,
        };
        let commit = Commit {
            write: u64::from(turn),
            known: claimed.length,
            turns: Some(turn),
            waits: asks.iter().map(|ask| ask.wait(claimed.length)).collect(),
            entries: vec![reply],
            ..Commit::default()
        };
        self.commit(claimed, &commit).await;
    }

    /// Commits the answers of these waits as part of the conversation.
    pub(crate) async fn take(&self, claimed: &mut Claimed, write: u64, taken: Vec<WaitKey>) {
        let result = Entry::Repair {
            turn: 1,
            content: "taken".to_owned(),
        };
        let commit = Commit {
            write,
            known: claimed.length,
            taken,
            entries: vec![result],
            ..Commit::default()
        };
        self.commit(claimed, &commit).await;
    }

    /// Says what a turn has cost.
    pub(crate) async fn spend(&self, claimed: &mut Claimed, write: u64, cost_micros: u64) {
        let usage = Usage {
            input: 10,
            output: 5,
            ..Usage::default()
        };
        let commit = Commit {
            write,
            known: claimed.length,
            turns: Some(1),
            cost_micros: Some(cost_micros),
            usage: [("openai/gpt".to_owned(), usage)].into(),
            entries: vec![Entry::Repair {
                turn: 1,
                content: "spent".to_owned(),
            }],
            ..Commit::default()
        };
        self.commit(claimed, &commit).await;
    }

    async fn commit(&self, claimed: &mut Claimed, commit: &Commit) {
        let outcome = self.store.commit(&claimed.held, commit, false, LEASE).await;
        assert!(
            matches!(outcome, Ok(CommitOutcome::Committed(_))),
            "{outcome:?}"
        );
        claimed.length += commit.entries.len() as u64;
    }

    /// Reports progress with a call until the task takes no more; how many reports are in its event log.
    pub(crate) async fn report_until_exhausted(&self, id: &str, call: &str) -> usize {
        let id: TaskId = id.parse().unwrap();
        let key = WaitKey::Call(call.to_owned());
        let reports = futures::stream::repeat(()).map(|()| {
            let (store, id, key) = (&self.store, &id, &key);
            async move { store.report_progress(id, key, &json!({}), None).await }
        });
        let mut reports = std::pin::pin!(reports.buffer_unordered(64));
        while reports.next().await.unwrap().unwrap() != ProgressOutcome::Exhausted {}
        let (events, _) = self.store.events(&id, 0, 20_000).await.unwrap();
        let of_type = |e: &&Event| e.event_type == "progress_update_tool_action_progress";
        events.iter().filter(of_type).count()
    }

    /// Puts a task aside that awaits something.
    pub(crate) async fn park(&self, claimed: &Claimed, write: u64) {
        let parked = self
            .store
            .park(&claimed.held, write, ParkedFor::Answers, LEASE)
            .await;
        assert_eq!(parked.unwrap(), ParkOutcome::Parked);
    }

    /// Spawns a child of `agent`; its id.
    pub(crate) async fn spawn(
        &self,
        claimed: &Claimed,
        wait: Option<WaitKey>,
        agent: &str,
    ) -> TaskId {
        let unique = ulid::Ulid::from_parts(1_700_000_000_000, rand::random());
        let child = NewTask {
            id: TaskId::new(claimed.held.id.partition(), unique),
            agent: AgentName::new(agent).unwrap(),
            owner: claimed.record.owner.clone(),
            priority: claimed.record.priority,
            start: factorial_core::Start::Now,
            input: Entry::Input {
                messages: Vec::new(),
                query: Some("q".to_owned()),
                context: None,
            },
            previous: None,
            parent: Some(Parent {
                held: claimed.held.clone(),
                wait,
                timeout: None,
                answer_bytes: 1000,
                max_depth: 8,
                max_descendants: 100_000,
            }),
            batch: None,
            stream: false,
            deadline: None,
            limits: None,
            metadata: [].into(),
            tools: None,
            webhook: None,
            trace: None,
            idempotency: None,
        };
        let accepted = self.store.enqueue(&child).await.unwrap();
        assert!(matches!(accepted, Enqueued::Accepted(..)), "{accepted:?}");
        child.id
    }
}

impl Gateway {
    /// A task that is parked with these calls: its id.
    pub(crate) async fn parked(&self, changes: &Value, asks: &[Ask]) -> String {
        let id = self.submit(changes).await;
        let hand = self.hand();
        let mut claimed = hand.claim().await;
        assert_eq!(claimed.held.id.as_str(), id);
        hand.ask(&mut claimed, 1, asks).await;
        hand.park(&claimed, 2).await;
        id
    }

    /// What is stored of a wait.
    pub(crate) async fn wait(&self, id: &str, key: &WaitKey) -> WaitStatus {
        let waits = self.store.waits(&id.parse().unwrap()).await.unwrap();
        let wait = waits.into_iter().find(|wait| wait.key == *key);
        wait.unwrap().status
    }

    /// The data of all events of this type.
    pub(crate) async fn events_of(&self, id: &str, event_type: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/tasks/{id}/events?limit=1000")).await;
        let events = page.body["data"].as_array().unwrap().clone();
        let of_type = events.into_iter().filter(|e| e["event_type"] == event_type);
        of_type.map(|e| e["data"].clone()).collect()
    }
}
