//! One client of the dashboard's WebSocket.
//!
//! Invariant: what waits for a client is one frame at most; a subscription makes its next one when that has left, so a slow
//! client gets fewer, newer ones.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::{
        State as Shared, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    response::{IntoResponse, Response},
};
use factorial_api::LiveRequest;
use factorial_rest::{Caller, store_error};
use factorial_service::{ApiError, ErrorKind};
use futures::{SinkExt, StreamExt, stream::SplitSink};
use http::HeaderMap;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};

use super::{
    asked::Asked,
    frame::{self, Outgoing},
    pace::{BETWEEN_FRAMES, Budget},
    task::Reader,
    topics::State,
};
use crate::{app::App, layers::Origin};

/// Clients of a process.
const MOST_CLIENTS: usize = 1_000;
/// Subscriptions of a client.
const MOST_SUBSCRIPTIONS: usize = 32;
/// Bytes of a frame from a client.
const LONGEST_REQUEST: usize = 64 * 1024;
/// A client that takes nothing for so long is given up.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// Between two pings.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client of which nothing was heard for so long is gone.
const HEARD_WITHIN: Duration = Duration::from_secs(65);
/// For the last words.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// `GET /observability/ws`
pub(crate) async fn accept(
    Shared(app): Shared<App>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if Origin::of(&headers, &app.options.cors_origins) == Origin::Foreign {
        let refusal = ApiError::new(ErrorKind::ForeignOrigin);
        let detail = "the origin is neither the dashboard's own nor one of cors_origins";
        return refusal.with_detail(detail).into_response();
    }
    if app.sockets.len() >= MOST_CLIENTS {
        return ApiError::new(ErrorKind::Overloaded).into_response();
    }
    // Without it nothing could be said; the page asks by REST until it is back.
    if let Err(error) = app.store.ping().await {
        return store_error(error).into_response();
    }
    upgrade
        .max_message_size(LONGEST_REQUEST)
        .on_upgrade(move |socket| {
            let sockets = app.sockets.clone();
            let client = Client::new(app, caller);
            sockets.track_future(client.serve(socket))
        })
}

struct Client {
    app: App,
    caller: Caller,
    /// Of each subscription, what ends it.
    subscriptions: BTreeMap<u64, tokio::task::AbortHandle>,
    running: JoinSet<()>,
    frames: mpsc::Sender<Outgoing>,
    ready: mpsc::Receiver<Outgoing>,
    budget: Budget,
    heard: Instant,
}

/// Why a connection ends; `None`: the client has left.
type End = Option<(u16, &'static str)>;

impl Client {
    fn new(app: App, caller: Caller) -> Self {
        let (frames, ready) = mpsc::channel(1);
        let now = Instant::now();
        Self {
            app,
            caller,
            subscriptions: BTreeMap::new(),
            running: JoinSet::new(),
            frames,
            ready,
            budget: Budget::new(now),
            heard: now,
        }
    }

    async fn serve(mut self, socket: WebSocket) {
        let (mut sink, mut messages) = socket.split();
        let drain = self.app.shutdown.drain.clone();
        let caller = self.caller.clone();
        let mut ended = pin!(caller.ended());
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            let free_at = self.budget.free_at();
            let ready = async {
                sleep_until(free_at).await;
                self.ready.recv().await
            };
            let handled = tokio::select! {
                () = drain.cancelled() => break Some((close_code::AWAY, "the service ends")),
                () = &mut ended => break Some((close_code::POLICY, "the key was revoked or has expired")),
                message = messages.next() => match message {
                    Some(Ok(message)) => self.hear(&mut sink, message).await,
                    Some(Err(_)) | None => break None,
                },
                Some(outgoing) = ready => self.hand_on(&mut sink, outgoing).await,
                _ = pings.tick() => self.ping(&mut sink).await,
            };
            if let Err(end) = handled {
                break end;
            }
            while self.running.try_join_next().is_some() {}
        };
        self.running.shutdown().await;
        if let Some((code, reason)) = end {
            tracing::debug!(reason, "client of the dashboard closed");
            let close = CloseFrame {
                code,
                reason: Utf8Bytes::from_static(reason),
            };
            let _ = timeout(CLOSE_WITHIN, async {
                sink.send(Message::Text(frame::bye(reason).into())).await?;
                sink.send(Message::Close(Some(close))).await
            })
            .await;
        }
    }

    async fn hear(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        message: Message,
    ) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(None),
            Message::Binary(_) => return Err(Some((close_code::UNSUPPORTED, "not text"))),
        };
        match serde_json::from_str(&text) {
            Ok(LiveRequest::Ping) => send(sink, frame::pong()).await,
            Ok(LiveRequest::Unsubscribe { id }) => {
                self.end(id);
                Ok(())
            }
            Ok(LiveRequest::Subscribe { id, topic, params }) => {
                let begun = if self.subscriptions.contains_key(&id) {
                    Err(refused("there is a subscription with this id"))
                } else if self.subscriptions.len() >= MOST_SUBSCRIPTIONS {
                    Err(refused("a connection has at most 32 subscriptions"))
                } else {
                    Asked::read(&topic, &params)
                };
                match begun {
                    Ok(asked) => {
                        self.begin(id, asked);
                        Ok(())
                    }
                    Err(refusal) => {
                        self.end(id);
                        send(sink, frame::error(id, &frame::problem(refusal).await)).await
                    }
                }
            }
            Err(_) => Err(Some((close_code::POLICY, "not a frame of this interface"))),
        }
    }

    fn begin(&mut self, id: u64, asked: Asked) {
        let (app, frames) = (self.app.clone(), self.frames.clone());
        let running = match asked {
            Asked::Operation {
                path,
                wrapped,
                restless,
            } => {
                let topic = app.listen(&self.caller, &path, wrapped, restless);
                self.running.spawn(forward(id, topic, frames))
            }
            Asked::Task {
                id: task,
                after_seq,
                after_message,
            } => {
                let looks = app.listen_to_task(&task);
                let reader =
                    Reader::new(id, self.caller.owners().clone(), after_seq, after_message);
                self.running
                    .spawn(async move { reader.run(&app, looks, frames).await })
            }
        };
        self.subscriptions.insert(id, running);
    }

    fn end(&mut self, id: u64) {
        if let Some(running) = self.subscriptions.remove(&id) {
            running.abort();
        }
    }

    async fn hand_on(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        outgoing: Outgoing,
    ) -> Result<(), End> {
        let frame = match outgoing {
            Outgoing::Frame(frame) => frame,
            Outgoing::Last(id, frame) => {
                self.subscriptions.remove(&id);
                frame
            }
            Outgoing::Away => {
                return Err(Some((close_code::AGAIN, "the store does not answer")));
            }
        };
        self.budget.spend(frame.len(), Instant::now());
        send(sink, frame).await
    }

    async fn ping(&mut self, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), End> {
        if self.heard.elapsed() > HEARD_WITHIN {
            return Err(Some((close_code::POLICY, "nothing was heard for a minute")));
        }
        let sent = timeout(
            READ_WITHIN,
            sink.send(Message::Ping(axum::body::Bytes::new())),
        );
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some((close_code::POLICY, "nothing was read for 30 s"))),
        }
    }
}

async fn send(sink: &mut SplitSink<WebSocket, Message>, frame: String) -> Result<(), End> {
    match timeout(READ_WITHIN, sink.send(Message::Text(frame.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some((close_code::POLICY, "nothing was read for 30 s"))),
    }
}

fn refused(detail: &str) -> ApiError {
    ApiError::new(ErrorKind::ValidationFailed).with_detail(detail)
}

/// Hands on what a topic says: the newest, when the client can take it.
async fn forward(
    id: u64,
    mut topic: watch::Receiver<State<Arc<str>>>,
    frames: mpsc::Sender<Outgoing>,
) {
    topic.mark_changed();
    while topic.changed().await.is_ok() {
        if matches!(*topic.borrow_and_update(), State::Pending) {
            continue;
        }
        let Ok(room) = frames.reserve().await else {
            return;
        };
        let state = topic.borrow_and_update().clone();
        match state {
            State::Pending => {}
            State::Found(json) => room.send(Outgoing::Frame(frame::data(id, &json))),
            State::Refused(problem) => {
                room.send(Outgoing::Last(id, frame::error(id, &problem)));
                return;
            }
            State::Away => room.send(Outgoing::Away),
        }
        sleep(BETWEEN_FRAMES).await;
    }
}
