//! Takes deliveries that were handed out, tries those that there is room for, and notes what comes of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use factorial_core::{Leased, Partition, Receiver, Settled, Store, StoreError};
use metrics::{counter, histogram};
use reqwest::{StatusCode, Url};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;

use super::{
    backoff,
    hosts::Hosts,
    message::Message,
    receivers::{Receivers, Secrets, To},
    resolve::{Lookup, system},
    send::{Said, Sender, SenderError},
};
use crate::{metrics as names, options::WebhookOptions};

/// How long a delivery is ours: much longer than a try.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// How long to go on noting what came of a try while Redis does not answer.
const NOTE_FOR: Duration = Duration::from_secs(40);
const NOTE_AGAIN: Duration = Duration::from_millis(500);

/// A handle; clones are the same.
#[derive(Clone)]
pub(crate) struct Courier(Arc<Inner>);

struct Inner {
    store: Store,
    sender: Sender,
    secrets: Secrets,
    hosts: Hosts,
    room: Arc<Semaphore>,
    /// Somebody waits for room.
    wanted: AtomicBool,
    /// Told when there is room again.
    call: Arc<Notify>,
    tries: TaskTracker,
}

impl Courier {
    /// With tries in `tries`, each of which calls `call` at its end if somebody waits for that.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn new(
        store: Store,
        options: &WebhookOptions,
        call: Arc<Notify>,
        tries: TaskTracker,
    ) -> Result<Self, SenderError> {
        Self::with_lookup(store, options, call, tries, system())
    }

    pub(super) fn with_lookup(
        store: Store,
        options: &WebhookOptions,
        call: Arc<Notify>,
        tries: TaskTracker,
        lookup: Lookup,
    ) -> Result<Self, SenderError> {
        Ok(Self(Arc::new(Inner {
            store,
            sender: Sender::new(lookup, options.allow_private_networks)?,
            secrets: Secrets::new(fresh_secret()),
            hosts: Hosts::new(options.max_in_flight_per_host.max(1)),
            room: Arc::new(Semaphore::new(options.max_in_flight.max(1))),
            wanted: AtomicBool::new(false),
            call,
            tries,
        })))
    }

    /// How many more deliveries can be tried now. When it is none, the end of the next try is told.
    pub(crate) fn room(&self) -> usize {
        let room = self.0.room.available_permits();
        if room > 0 {
            return room;
        }
        self.0.wanted.store(true, Ordering::SeqCst);
        // One may have ended in between.
        self.0.room.available_permits()
    }

    /// Tries deliveries, or puts them back for later; says when the first of these is due again.
    ///
    /// # Errors
    /// When Redis does not answer: those that are not tried come again when their leases are over.
    pub(crate) async fn take(
        &self,
        partition: Partition,
        deliveries: Vec<Leased>,
    ) -> Result<Option<Duration>, StoreError> {
        let receivers = Receivers::of(&self.0.store, &deliveries).await?;
        let mut later = Vec::new();
        for leased in deliveries {
            let Ok(permit) = Arc::clone(&self.0.room).try_acquire_owned() else {
                later.push((leased, Duration::ZERO));
                continue;
            };
            let receiver = match receivers.find(&leased) {
                To::Receiver(receiver) => receiver,
                To::Nobody(why) => {
                    self.give_up(leased, why, permit);
                    continue;
                }
            };
            let parsed = Url::parse(&receiver.url).ok();
            let Some((url, host)) = parsed.and_then(|url| Some((url.clone(), host_of(&url)?)))
            else {
                self.give_up(leased, "unknown_host", permit);
                continue;
            };
            if let Err(wait) = self.0.hosts.enter(&host, Instant::now()) {
                // Not all at the same moment.
                let wait = wait.mul_f64(1.0 + rand::random::<f64>() / 4.0);
                later.push((leased, wait));
                continue;
            }
            let courier = self.clone();
            self.0.tries.spawn(async move {
                courier.attempt(leased, receiver, url, host).await;
                courier.done(permit);
            });
        }
        self.0.store.defer_deliveries(partition, &later).await?;
        Ok(later.into_iter().map(|(_, wait)| wait).min())
    }

    fn done(&self, permit: OwnedSemaphorePermit) {
        drop(permit);
        if self.0.wanted.swap(false, Ordering::SeqCst) {
            self.0.call.notify_one();
        }
    }

    fn give_up(&self, leased: Leased, why: &'static str, permit: OwnedSemaphorePermit) {
        let courier = self.clone();
        self.0.tries.spawn(async move {
            courier
                .note(&leased, Settled::Failed, why, Duration::ZERO)
                .await;
            if why == "webhook_removed" {
                // Its partition may not know: whoever was to tell it died, or was overtaken.
                let spread = courier
                    .0
                    .store
                    .spread_webhooks(&leased.delivery.owner)
                    .await;
                if let Err(error) = spread {
                    tracing::debug!(%error, "partitions not told of webhooks");
                }
            }
            courier.done(permit);
        });
    }

    async fn attempt(&self, leased: Leased, receiver: Receiver, url: Url, host: String) {
        let delivery = &leased.delivery;
        let secret = self
            .0
            .secrets
            .of(&self.0.store, &receiver, &delivery.owner)
            .await;
        let secret = match secret {
            Ok(secret) => secret,
            Err(error) => {
                // It comes again when the lease is over.
                tracing::debug!(delivery.id = %delivery.id, %error, "secret not read");
                self.0.hosts.leave(&host, true, Instant::now());
                return;
            }
        };
        let message = secret.and_then(|secret| {
            let made = Message::of(delivery, &secret, unix_ms() / 1000);
            made.map_err(
                |error| tracing::error!(delivery.id = %delivery.id, %error, "event not readable"),
            )
            .ok()
        });
        let Some(message) = message else {
            self.0.hosts.leave(&host, true, Instant::now());
            self.note(&leased, Settled::Failed, "internal", Duration::ZERO)
                .await;
            return;
        };
        let started = Instant::now();
        let said = self.0.sender.send(url, message).await;
        let (now, took) = (Instant::now(), started.elapsed());
        let answered = !matches!(said, Said::Nothing(_));
        self.0.hosts.leave(&host, answered, now);
        histogram!(names::WEBHOOK_SECONDS).record(took.as_secs_f64());
        let (outcome, text) = judge(&leased, said);
        tracing::debug!(delivery.id = %delivery.id, host, said = text, ?outcome, "webhook tried");
        self.note(&leased, outcome, &text, took).await;
        if outcome == Settled::Gone
            && let Some(id) = delivery.id.webhook()
        {
            let off = self.0.store.switch_off_webhook(id, &delivery.owner).await;
            match off {
                Ok(()) => tracing::info!(webhook.id = %id, "webhook switched off by its receiver"),
                Err(error) => tracing::warn!(webhook.id = %id, %error, "webhook not switched off"),
            }
        }
    }

    /// Notes what came of a try, also when Redis is away for a moment.
    async fn note(&self, leased: &Leased, outcome: Settled, said: &str, took: Duration) {
        let id = &leased.delivery.id;
        let give_up_at = Instant::now() + NOTE_FOR;
        let noted = loop {
            match self
                .0
                .store
                .settle_delivery(leased, outcome, said, took)
                .await
            {
                Ok(noted) => break noted,
                Err(error) if error.is_unavailable() && Instant::now() < give_up_at => {
                    sleep(NOTE_AGAIN).await;
                }
                Err(error) => {
                    tracing::warn!(delivery.id = %id, %error, "delivery not noted: it will be repeated");
                    return;
                }
            }
        };
        if !noted {
            return;
        }
        counter!(names::WEBHOOK_ATTEMPTS, "outcome" => match outcome {
            Settled::Delivered => "delivered",
            Settled::Again(_) => "retried",
            Settled::Failed | Settled::Gone => "failed",
        })
        .increment(1);
        if matches!(outcome, Settled::Again(_)) {
            // So that the chore knows when it is due.
            self.0.call.notify_one();
        }
        if matches!(outcome, Settled::Failed | Settled::Gone) {
            let attempts = leased.delivery.attempts + 1;
            tracing::warn!(delivery.id = %id, said, attempts, "webhook delivery given up");
        }
    }
}

/// What comes of an answer, and how it is told.
fn judge(leased: &Leased, said: Said) -> (Settled, String) {
    let delivery = &leased.delivery;
    let failed = delivery.attempts.saturating_sub(delivery.attempts_before) + 1;
    let age = u64::try_from(unix_ms().saturating_sub(delivery.since_ms)).unwrap_or(0);
    let again = |retry_after| {
        let age = Duration::from_millis(age);
        let wait = backoff::wait(failed, age, retry_after, rand::random());
        wait.map_or(Settled::Failed, Settled::Again)
    };
    match said {
        Said::Status(status, _) if status.is_success() => (Settled::Delivered, code(status)),
        Said::Status(StatusCode::GONE, _) => (Settled::Gone, code(StatusCode::GONE)),
        Said::Status(status, retry_after) => (again(retry_after), code(status)),
        Said::Nothing(why) => (again(None), why.to_owned()),
        Said::Private => (Settled::Failed, "private_address".to_owned()),
    }
}

fn code(status: StatusCode) -> String {
    status.as_str().to_owned()
}

/// Name and port.
fn host_of(url: &Url) -> Option<String> {
    let port = url.port_or_known_default()?;
    Some(format!("{}:{port}", url.host_str()?))
}

/// By the clock of this machine: receivers compare it with theirs.
fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// For a namespace that has none: 32 random bytes in hexadecimal digits.
fn fresh_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
