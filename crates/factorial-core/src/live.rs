//! Live events: one subscription connection per process, shared by all readers of it.
//!
//! A notification can be lost with the connection. So each carries `seq`, a reader joins it with the log by `seq`, and
//! after a reconnection every reader is told to look at the log again. Only events of a task that is marked as listened to
//! are published: a channel is subscribed first, then the task is marked, and only then its readers are told to look.

use std::{collections::HashMap, sync::Arc, time::Duration};

use deadpool_redis::redis;
use futures::StreamExt;
use tokio::sync::{broadcast, mpsc};

use crate::{
    error::StoreError,
    event::Event,
    feed::FeedEntry,
    ids::TaskId,
    link::Link,
    script::{Base, Script, script},
    segments,
    store::Store,
};

static WATCH: Script = script!("watch");

/// Begins a notification of text; no events begin like that.
const TEXT: &str = "text ";
/// Notifications that a reader may lag behind before it has to read the log.
const BUFFER: usize = 256;

/// Before a reader joins a channel again that was dropped under it.
const REJOIN_AFTER: Duration = Duration::from_millis(100);

/// What a reader is told.
#[derive(Clone, Debug)]
pub enum EventBatch {
    /// New events, in order, as they were appended.
    Events(Arc<[Event]>),
    /// Text of the open reply; it is in no log.
    Text(Arc<ReplyText>),
    /// A new entry of a feed.
    Entry(Arc<FeedEntry>),
    /// Something may have been missed: read the log from the last `seq` seen.
    Look,
}

/// A part of the reply that a model is giving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyText {
    /// The attempt.
    pub attempt: u32,
    /// The turn.
    pub turn: u32,
    /// Bytes of the reply before this part; 0 when it is all that there is so far.
    pub offset: usize,
    /// The part.
    pub text: String,
}

impl ReplyText {
    /// `text <attempt> <turn> <offset>` on the first line.
    fn encode(&self) -> String {
        let Self {
            attempt,
            turn,
            offset,
            text,
        } = self;
        format!("{TEXT}{attempt} {turn} {offset}\n{text}")
    }

    fn decode(payload: &str) -> Option<Self> {
        let (head, text) = payload.strip_prefix(TEXT)?.split_once('\n')?;
        let mut numbers = head.split(' ');
        Some(Self {
            attempt: numbers.next()?.parse().ok()?,
            turn: numbers.next()?.parse().ok()?,
            offset: numbers.next()?.parse().ok()?,
            text: text.to_owned(),
        })
    }
}

/// A reader's end; dropping it ends the subscription when it was the last of its channel.
pub struct Subscription {
    /// `None` only while it is being dropped.
    receiver: Option<broadcast::Receiver<EventBatch>>,
    channel: String,
    hub: Hub,
}

impl Subscription {
    /// The next notification. Never ends by itself.
    pub async fn next(&mut self) -> EventBatch {
        let received = match &mut self.receiver {
            Some(receiver) => receiver.recv().await,
            None => Err(broadcast::error::RecvError::Closed),
        };
        match received {
            Ok(batch) => batch,
            Err(broadcast::error::RecvError::Lagged(_)) => EventBatch::Look,
            Err(broadcast::error::RecvError::Closed) => {
                // The hub dropped the channel just as this reader joined it, or the process ends.
                tokio::time::sleep(REJOIN_AFTER).await;
                let mut fresh = self.hub.subscribe(self.channel.clone());
                self.receiver = fresh.receiver.take();
                EventBatch::Look
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // First, so that the hub counts what is left.
        self.receiver = None;
        let _ = self
            .hub
            .requests
            .send(Request::Leave(std::mem::take(&mut self.channel)));
    }
}

enum Request {
    Join(String, broadcast::Sender<EventBatch>),
    Leave(String),
}

/// Handle to the task that owns the connection.
#[derive(Clone)]
pub(crate) struct Hub {
    requests: mpsc::UnboundedSender<Request>,
    channels: Arc<std::sync::Mutex<HashMap<String, broadcast::WeakSender<EventBatch>>>>,
}

impl Hub {
    pub(crate) fn start(link: Arc<Link>) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(link, inbox));
        Self {
            requests,
            channels: Arc::default(),
        }
    }

    pub(crate) fn subscribe(&self, channel: String) -> Subscription {
        let mut channels = self
            .channels
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(receiver) = channels
            .get(&channel)
            .and_then(broadcast::WeakSender::upgrade)
            .map(|s| s.subscribe())
        {
            return Subscription {
                receiver: Some(receiver),
                channel,
                hub: self.clone(),
            };
        }
        let (sender, receiver) = broadcast::channel(BUFFER);
        channels.retain(|_, s| s.upgrade().is_some());
        channels.insert(channel.clone(), sender.downgrade());
        let _ = self.requests.send(Request::Join(channel.clone(), sender));
        Subscription {
            receiver: Some(receiver),
            channel,
            hub: self.clone(),
        }
    }
}

impl Store {
    /// Live events of a task. Read the log after subscribing, and again at every [`EventBatch::Look`]; one comes when a
    /// new subscription stands.
    #[must_use]
    pub fn subscribe(&self, id: &TaskId) -> Subscription {
        self.0.live.subscribe(self.0.keys.event_channel(id))
    }

    /// Marks a task as listened to, as a new subscription does by itself, and has its worker say what there is of the open
    /// reply: to all who listen, as [`EventBatch::Text`].
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn watch(&self, id: &TaskId) -> Result<(), StoreError> {
        let base = self.base(id.partition());
        let call = WATCH.on(&base).arg(id.as_str());
        call.run(&self.0.link).await.map(drop)
    }

    /// Tells those who listen to a task a part of the open reply.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn tell_text(&self, id: &TaskId, text: &ReplyText) -> Result<(), StoreError> {
        let mut cmd = redis::cmd("PUBLISH");
        cmd.arg(self.0.keys.event_channel(id)).arg(text.encode());
        self.0.link.command(&cmd).await.map(drop)
    }
}

async fn run(link: Arc<Link>, mut inbox: mpsc::UnboundedReceiver<Request>) {
    let mut joined: HashMap<String, broadcast::Sender<EventBatch>> = HashMap::new();
    // No connection before somebody listens.
    while let Some(request) = inbox.recv().await {
        apply(&mut joined, request);
        while !joined.is_empty() {
            if let Err(error) = serve(&link, &mut inbox, &mut joined).await {
                tracing::debug!(%error, "live connection lost");
            }
            if inbox.is_closed() {
                return;
            }
            if !joined.is_empty() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Registers, or drops a channel that nobody reads any more; says whether the connection has to follow.
fn apply(
    joined: &mut HashMap<String, broadcast::Sender<EventBatch>>,
    request: Request,
) -> Option<(String, bool)> {
    match request {
        Request::Join(channel, sender) => {
            joined.insert(channel.clone(), sender);
            Some((channel, true))
        }
        Request::Leave(channel) => {
            let unread = joined
                .get(&channel)
                .is_some_and(|s| s.receiver_count() == 0);
            unread.then(|| {
                joined.remove(&channel);
                (channel, false)
            })
        }
    }
}

async fn serve(
    link: &Arc<Link>,
    inbox: &mut mpsc::UnboundedReceiver<Request>,
    joined: &mut HashMap<String, broadcast::Sender<EventBatch>>,
) -> Result<(), StoreError> {
    let (connection, node) = link.pubsub().await?;
    let (mut sink, mut messages) = connection.split();
    let channels: Vec<String> = joined.keys().cloned().collect();
    for chunk in channels.chunks(500) {
        sink.subscribe(chunk).await?;
    }
    for (channel, sender) in joined.iter() {
        tokio::spawn(mark(Arc::clone(link), channel.clone(), sender.clone()));
    }
    let mut probe = tokio::time::interval(Duration::from_secs(5));
    probe.tick().await;
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                let Some(sender) = joined.get(message.get_channel_name()) else { continue };
                let payload: String = message.get_payload()?;
                let _ = sender.send(decode(message.get_channel_name(), &payload));
            }
            request = inbox.recv() => {
                let Some(request) = request else { return Ok(()) };
                match apply(joined, request) {
                    Some((channel, true)) => {
                        sink.subscribe(&channel).await?;
                        if let Some(sender) = joined.get(&channel) {
                            tokio::spawn(mark(Arc::clone(link), channel, sender.clone()));
                        }
                    }
                    Some((channel, false)) => sink.unsubscribe(&channel).await?,
                    None => {}
                }
                if joined.is_empty() { return Ok(()) }
            }
            _ = probe.tick() => {
                let pong = tokio::time::timeout(Duration::from_secs(2), sink.ping::<redis::Value>());
                if !matches!(pong.await, Ok(Ok(_))) || !link.has(&node) { return Ok(()) }
            }
        }
    }
}

/// Marks the task of a channel as listened to, then tells its readers to look, as long as there are any.
async fn mark(link: Arc<Link>, channel: String, sender: broadcast::Sender<EventBatch>) {
    // `{namespace:partition}:` and the id of a task, or of a batch, which is not marked.
    let Some((base, id)) = channel.rsplit_once(segments::EVENT_CHANNEL) else {
        // A feed is kept going by whoever follows it.
        let _ = sender.send(EventBatch::Look);
        return;
    };
    while sender.receiver_count() > 0 {
        match WATCH.on(&Base::new(base, &link)).arg(id).run(&link).await {
            Ok(_) => {
                let _ = sender.send(EventBatch::Look);
                return;
            }
            Err(error) => tracing::debug!(%error, "task not marked as listened to"),
        }
        tokio::time::sleep(REJOIN_AFTER).await;
    }
}

fn decode(channel: &str, payload: &str) -> EventBatch {
    if let Some(text) = ReplyText::decode(payload) {
        EventBatch::Text(Arc::new(text))
    } else if channel.contains(segments::EVENT_CHANNEL) {
        events(payload).map_or(EventBatch::Look, EventBatch::Events)
    } else {
        let entry = FeedEntry::notified(payload);
        entry.map_or(EventBatch::Look, |entry| EventBatch::Entry(Arc::new(entry)))
    }
}

/// First `seq`, then one stored event a line.
fn events(payload: &str) -> Result<Arc<[Event]>, StoreError> {
    let mut lines = payload.split('\n');
    let first: u64 = lines
        .next()
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| StoreError::corrupt("notification", "no seq"))?;
    lines
        .zip(first..)
        .map(|(line, seq)| Event::decode(seq, line))
        .collect()
}
