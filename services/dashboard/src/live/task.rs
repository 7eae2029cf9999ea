//! One task, followed: its record, open calls and tree for all who listen, and to each what is new in its logs.

use std::{sync::Arc, time::Duration};

use axum::Router;
use factorial_core::{Event, EventBatch, Owners, StoreError, TaskId, TaskRecord, TaskState};
use factorial_rest::{
    Caller, Conversation, OpenReply, Part, events_after, shown_task, store_error,
};
use factorial_service::{ApiError, ErrorKind};
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    frame::{self, Outgoing},
    pace::BETWEEN_FRAMES,
    topics::{PATIENCE, State, ask},
};
use crate::{app::App, router::operations};

/// Between two looks when nothing is heard: what no event tells, a lease for example, is seen all the same.
const QUIET: Duration = Duration::from_secs(1);
/// Between two looks at the tree, whose other tasks tell nothing here.
const BETWEEN_TREES: Duration = Duration::from_secs(1);
/// Events and messages of a frame.
const MOST_EVENTS: u64 = 1_000;
const MOST_MESSAGES: usize = 200;

/// What was found at a look.
#[derive(Debug)]
pub(super) struct Look {
    record: TaskRecord,
    task: String,
    calls: String,
    tree: Arc<str>,
    last_seq: u64,
    /// Text of the reply that the model is giving: `{turn, attempt, text}`, or null.
    reply: String,
}

impl PartialEq for Look {
    fn eq(&self, other: &Self) -> bool {
        // The record is in the text.
        self.task == other.task
            && self.calls == other.calls
            && self.tree == other.tree
            && self.last_seq == other.last_seq
            && self.reply == other.reply
    }
}

/// Looks at a task for as long as somebody listens: when something is heard of it, at most four times a second.
pub(super) async fn watch(app: &App, id: &TaskId, sender: &watch::Sender<State<Arc<Look>>>) {
    let operations = operations(app);
    let mut heard = app.store.subscribe(id);
    let mut tree: Option<(Instant, Arc<str>)> = None;
    let mut away: Option<Instant> = None;
    let mut reply = Reply::default();
    loop {
        let looked = Instant::now();
        match look(app, &operations, id, &mut tree).await {
            Ok(mut look) => {
                away = None;
                look.reply = reply.of(app, &look.record).await;
                sender.send_if_modified(|state| {
                    if matches!(state, State::Found(known) if **known == look) {
                        return false;
                    }
                    *state = State::Found(Arc::new(look));
                    true
                });
            }
            Err(Trouble::Refused(problem)) => {
                sender.send_replace(State::Refused(problem.into()));
                app.forget_task(id);
                return;
            }
            Err(Trouble::Away) => {
                if away.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                    sender.send_replace(State::Away);
                }
            }
        }
        tokio::select! {
            // Whatever it is, it is looked at as a whole.
            batch = heard.next() => {
                reply.hear(&batch);
                let next = sleep_until(looked + BETWEEN_FRAMES);
                tokio::pin!(next);
                loop {
                    tokio::select! {
                        biased;
                        () = &mut next => break,
                        batch = heard.next() => reply.hear(&batch),
                    }
                }
            }
            () = sleep(QUIET) => {}
            () = sender.closed() => {}
        }
        if app.is_unheard(id, sender) {
            return;
        }
    }
}

/// The reply that the model is giving, as far as it was heard.
#[derive(Default)]
struct Reply {
    open: OpenReply,
    /// It is followed from its beginning, or from where it was when this began.
    begun: bool,
    /// `seq` of the last event that was heard or read.
    seq: u64,
}

impl Reply {
    fn hear(&mut self, batch: &EventBatch) {
        match batch {
            EventBatch::Events(events) => self.log(events),
            EventBatch::Text(part) => self.begun &= self.open.take(part) != Part::Late,
            EventBatch::Look => self.begun = false,
            EventBatch::Entry(_) => {}
        }
    }

    /// What was read may come once more.
    fn log(&mut self, events: &[Event]) {
        for event in events {
            if event.seq > self.seq {
                self.open.log(event);
                self.seq = event.seq;
            }
        }
    }

    /// `{turn, attempt, text}` or null. Asks for what is missing: the log has it of tasks with `stream`, the worker of others.
    async fn of(&mut self, app: &App, record: &TaskRecord) -> String {
        if record.state != TaskState::Processing {
            *self = Self::default();
            return "null".to_owned();
        }
        if !self.begun {
            self.begun = match self.begin(app, record).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::debug!(task.id = %record.id, %error, "open reply not read");
                    false
                }
            };
        }
        self.open.so_far().map_or_else(
            || "null".to_owned(),
            |(attempt, turn, text)| {
                json(&serde_json::json!({ "turn": turn, "attempt": attempt, "text": text }))
            },
        )
    }

    async fn begin(&mut self, app: &App, record: &TaskRecord) -> Result<(), StoreError> {
        if !record.stream {
            return app.store.watch(&record.id).await;
        }
        self.open = OpenReply::default();
        let (_, last) = app.store.events(&record.id, u64::from(u32::MAX), 1).await?;
        let after = last.saturating_sub(MOST_EVENTS);
        let (events, _) = app.store.events(&record.id, after, MOST_EVENTS).await?;
        self.seq = after;
        self.log(&events);
        Ok(())
    }
}

enum Trouble {
    Refused(String),
    Away,
}

async fn refused(refusal: ApiError) -> Trouble {
    match refusal.kind() {
        ErrorKind::StoreUnavailable | ErrorKind::Overloaded => Trouble::Away,
        _ => Trouble::Refused(frame::problem(refusal).await),
    }
}

async fn look(
    app: &App,
    operations: &Router,
    id: &TaskId,
    tree: &mut Option<(Instant, Arc<str>)>,
) -> Result<Look, Trouble> {
    let record = match app.store.task(id).await {
        Ok(Some(record)) if app.store.owns(id) => record,
        Ok(_) => return Err(refused(ApiError::new(ErrorKind::TaskNotFound)).await),
        Err(error) => return Err(refused(store_error(error)).await),
    };
    // Whoever listens is asked whose task it is before anything is handed on.
    let onlooker = Caller::anybody();
    let asked = async |path: String| match ask(operations, &onlooker, &path).await {
        Ok(found) => Ok(found),
        Err((status, problem)) if status.is_client_error() => Err(Trouble::Refused(problem)),
        Err(_) => Err(Trouble::Away),
    };
    let calls = asked(format!("/tasks/{id}/tool-calls?status=open&limit=200")).await?;
    let tree = match tree {
        Some((at, tree)) if at.elapsed() < BETWEEN_TREES => Arc::clone(tree),
        _ => {
            let found: Arc<str> = asked(format!("/tasks/{id}/tree")).await?.into();
            *tree = Some((Instant::now(), Arc::clone(&found)));
            found
        }
    };
    let (_, last_seq) = match events_after(&app.store, &record, u64::from(u32::MAX), 1).await {
        Ok(found) => found,
        Err(error) => return Err(refused(store_error(error)).await),
    };
    Ok(Look {
        task: json(&shown_task(record.clone())),
        record,
        calls: data_of(&calls),
        tree,
        last_seq,
        reply: String::new(),
    })
}

/// The items of a page.
fn data_of(page: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let page: Result<Page<'_>, _> = serde_json::from_str(page);
    page.map_or_else(|_| "[]".to_owned(), |page| page.data.get().to_owned())
}

fn json(value: &impl serde::Serialize) -> String {
    // Wire types have texts as keys and finite numbers, so they are always JSON.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Where a client is in the logs of a task.
pub(super) struct Reader {
    pub(super) id: u64,
    /// `seq` of the last event that it has.
    pub(super) seq: u64,
    /// Index of the last message that it has.
    pub(super) message: Option<u64>,
    conversation: Conversation,
    tree: Option<Arc<str>>,
    /// What it may see.
    owners: Owners,
}

impl Reader {
    pub(super) fn new(id: u64, owners: Owners, seq: u64, message: Option<u64>) -> Self {
        Self {
            id,
            owners,
            seq,
            message,
            conversation: Conversation::default(),
            tree: None,
        }
    }

    /// Hands on what is new, until the task or the client is gone.
    pub(super) async fn run(
        mut self,
        app: &App,
        mut looks: watch::Receiver<State<Arc<Look>>>,
        frames: mpsc::Sender<Outgoing>,
    ) {
        looks.mark_changed();
        while looks.changed().await.is_ok() {
            let state = looks.borrow_and_update().clone();
            let outgoing = match state {
                State::Pending => continue,
                State::Found(look) if !self.owners.include(&look.record.owner) => {
                    let missing = ApiError::new(ErrorKind::TaskNotFound);
                    let last = frame::error(self.id, &frame::problem(missing).await);
                    let _ = frames.send(Outgoing::Last(self.id, last)).await;
                    return;
                }
                State::Found(look) => match self.frame(app, &look).await {
                    Ok((frame, more)) => {
                        if more {
                            looks.mark_changed();
                        }
                        Outgoing::Frame(frame)
                    }
                    Err(error) => {
                        tracing::debug!(task.id = %look.record.id, %error, "log not read");
                        looks.mark_changed();
                        sleep(QUIET).await;
                        continue;
                    }
                },
                State::Refused(problem) => {
                    let last = frame::error(self.id, &problem);
                    let _ = frames.send(Outgoing::Last(self.id, last)).await;
                    return;
                }
                State::Away => Outgoing::Away,
            };
            if frames.send(outgoing).await.is_err() {
                return;
            }
            sleep(BETWEEN_FRAMES).await;
        }
    }

    /// A frame, and whether there is more to be read.
    async fn frame(&mut self, app: &App, look: &Look) -> Result<(String, bool), StoreError> {
        let record = &look.record;
        let (events, _) = events_after(&app.store, record, self.seq, MOST_EVENTS).await?;
        let known = self.message;
        let new = |index: u64| known.is_none_or(|known| index > known);
        let mut messages = Vec::new();
        // Those that the client has are passed over: a conversation is read from its beginning.
        let full = loop {
            let conversation = &mut self.conversation;
            let read = conversation.next(&app.store, &record.id, MOST_MESSAGES);
            let read = read.await?;
            let full = read.len() == MOST_MESSAGES;
            messages.extend(read.into_iter().filter(|message| new(message.index)));
            if !full || !messages.is_empty() {
                break full;
            }
        };
        let more = events.len() as u64 == MOST_EVENTS || full;
        self.seq = events.last().map_or(self.seq, |event| event.seq);
        let tree = if self.tree.as_ref() == Some(&look.tree) {
            String::new()
        } else {
            self.tree = Some(Arc::clone(&look.tree));
            format!(",\"tree\":{}", look.tree)
        };
        let data = format!(
            "{{\"task\":{},\"events\":{},\"messages\":{},\"reply\":{},\"tool_calls\":{}{tree}}}",
            look.task,
            json(&events),
            json(&messages),
            look.reply,
            look.calls,
        );
        Ok((frame::data(self.id, &data), more))
    }
}
