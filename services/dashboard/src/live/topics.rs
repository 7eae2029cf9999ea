//! What is listened to, each looked at once however many listen.
//!
//! A topic is a task of its own that asks the operation of the same name, and keeps the newest answer. Invariants: it is
//! sent only when it has changed; the last one who stops to listen ends it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use factorial_core::TaskId;
use factorial_rest::Caller;
use http::{Request, StatusCode};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tower::ServiceExt as _;

use super::task::{self, Look};
use crate::{app::App, router::operations};

/// Until the next look, when the one before found something new.
const SOON: Duration = Duration::from_millis(250);
/// Until the next look else.
const LATER: Duration = Duration::from_secs(1);
/// The store may be away for so long before clients are told.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Most bytes of an answer.
const LONGEST: usize = 32 * 1024 * 1024;

/// How a topic stands.
#[derive(Clone, Debug, Default)]
pub(super) enum State<T> {
    /// Nobody has looked yet.
    #[default]
    Pending,
    /// This was found last.
    Found(T),
    /// There is nothing to listen to: a problem document.
    Refused(Arc<str>),
    /// The store does not answer.
    Away,
}

/// What is listened to.
#[derive(Default)]
pub(crate) struct Topics {
    /// By what a caller sees, and the path.
    operations: Listened<(String, String), Arc<str>>,
    tasks: Listened<TaskId, Arc<Look>>,
}

type Listened<K, T> = Mutex<HashMap<K, watch::Sender<State<T>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Listens to what an operation answers.
    pub(super) fn listen(
        &self,
        caller: &Caller,
        path: &str,
        wrapped: Option<&'static str>,
        restless: bool,
    ) -> watch::Receiver<State<Arc<str>>> {
        let mut topics = lock(&self.topics.operations);
        let name = (caller.view(), path.to_owned());
        if let Some(topic) = topics.get(&name) {
            return topic.subscribe();
        }
        let (sender, receiver) = watch::channel(State::Pending);
        topics.insert(name.clone(), sender.clone());
        let app = self.clone();
        let topic = Topic {
            onlooker: caller.onlooker(),
            wrapped,
            restless,
        };
        tokio::spawn(async move { topic.run(&app, &name, &sender).await });
        receiver
    }

    /// Listens to a task.
    pub(super) fn listen_to_task(&self, id: &TaskId) -> watch::Receiver<State<Arc<Look>>> {
        let mut topics = lock(&self.topics.tasks);
        if let Some(topic) = topics.get(id) {
            return topic.subscribe();
        }
        let (sender, receiver) = watch::channel(State::Pending);
        topics.insert(id.clone(), sender.clone());
        let (app, id) = (self.clone(), id.clone());
        tokio::spawn(async move {
            task::watch(&app, &id, &sender).await;
        });
        receiver
    }
}

/// How an operation is looked at.
struct Topic {
    onlooker: Caller,
    wrapped: Option<&'static str>,
    restless: bool,
}

impl Topic {
    async fn run(
        &self,
        app: &App,
        name: &(String, String),
        sender: &watch::Sender<State<Arc<str>>>,
    ) {
        let operations = operations(app);
        let mut away: Option<Instant> = None;
        loop {
            let mut changed = false;
            match ask(&operations, &self.onlooker, &name.1).await {
                Ok(found) => {
                    away = None;
                    changed = publish(sender, self.wrap(found));
                }
                Err((status, problem)) if status.is_client_error() => {
                    sender.send_replace(State::Refused(problem.into()));
                    // Whoever asks again is answered anew.
                    lock(&app.topics.operations).remove(name);
                    return;
                }
                Err(_) => {
                    let since = *away.get_or_insert_with(Instant::now);
                    if since.elapsed() >= PATIENCE {
                        sender.send_replace(State::Away);
                    }
                }
            }
            let soon = changed && !self.restless;
            tokio::select! {
                () = sleep(if soon { SOON } else { LATER }) => {}
                () = sender.closed() => {}
            }
            if unheard(&app.topics.operations, name, sender) {
                return;
            }
        }
    }

    fn wrap(&self, found: String) -> String {
        match self.wrapped {
            Some(name) => format!("{{\"{name}\":{found}}}"),
            None => found,
        }
    }
}

/// Whether nobody listens any more; then the topic is taken off the list under the same lock, so
/// that whoever comes later begins a new one.
fn unheard<K, Q, T>(topics: &Listened<K, T>, key: &Q, sender: &watch::Sender<State<T>>) -> bool
where
    K: std::hash::Hash + Eq + std::borrow::Borrow<Q>,
    Q: std::hash::Hash + Eq + ?Sized,
{
    let mut topics = lock(topics);
    if sender.receiver_count() > 0 {
        return false;
    }
    topics.remove(key);
    true
}

impl App {
    /// Takes a task off the list: whoever asks again is answered anew.
    pub(super) fn forget_task(&self, id: &TaskId) {
        lock(&self.topics.tasks).remove(id);
    }

    /// Whether nobody listens to a task any more.
    pub(super) fn is_unheard(&self, id: &TaskId, sender: &watch::Sender<State<Arc<Look>>>) -> bool {
        unheard(&self.topics.tasks, id, sender)
    }
}

/// The answer of an operation, or its refusal.
pub(super) async fn ask(
    operations: &Router,
    onlooker: &Caller,
    path: &str,
) -> Result<String, (StatusCode, String)> {
    let failed = |what: String| (StatusCode::INTERNAL_SERVER_ERROR, what);
    let request = Request::get(path).extension(onlooker.clone());
    let request = request.body(Body::empty());
    let request = request.map_err(|e| failed(e.to_string()))?;
    let response = match operations.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, LONGEST).await;
    let bytes = bytes.map_err(|e| failed(e.to_string()))?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|e| failed(e.to_string()))?;
    if head.status.is_success() {
        Ok(text)
    } else {
        Err((head.status, text))
    }
}

/// Keeps what was found, if it is new.
fn publish(sender: &watch::Sender<State<Arc<str>>>, found: String) -> bool {
    sender.send_if_modified(|state| {
        if matches!(state, State::Found(known) if timeless(known) == timeless(&found)) {
            return false;
        }
        *state = State::Found(found.into());
        true
    })
}

/// Without the time of the look, which some begin with.
fn timeless(json: &str) -> &str {
    match json.strip_prefix("{\"at\":") {
        Some(rest) => rest.split_once(',').map_or(rest, |(_, rest)| rest),
        None => json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_published() {
        let (sender, mut receiver) = watch::channel(State::Pending);
        for (found, new) in [
            (r#"{"at":"2026-01-01","n":1}"#, true),
            (r#"{"at":"2026-01-02","n":1}"#, false),
            (r#"{"at":"2026-01-02","n":2}"#, true),
        ] {
            assert_eq!(publish(&sender, found.to_owned()), new, "{found}");
            assert_eq!(receiver.has_changed().ok(), Some(new), "{found}");
            receiver.mark_unchanged();
        }
    }
}
