//! What a receiver gets: the body of Standard Webhooks, and its three headers.

use factorial_api::{BatchEvent, Event, Time, WebhookMessage};
use factorial_core::{Delivery, Subject};
use factorial_service::WebhookSecret;
use serde::Serialize;
use serde_json::Value;

/// A message, ready to be sent.
pub(super) struct Message {
    pub(super) id: String,
    /// Seconds since the Unix epoch.
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Of a delivery, as of now. The body is the same in all tries; the signature is of the try.
    ///
    /// # Errors
    /// When the event cannot be read.
    pub(super) fn of(
        delivery: &Delivery,
        secret: &WebhookSecret,
        now_seconds: i64,
    ) -> Result<Self, serde_json::Error> {
        let body = body(delivery)?;
        let id = delivery.id.as_str().to_owned();
        Ok(Self {
            signature: secret.sign(&id, now_seconds, &body),
            timestamp: now_seconds,
            id,
            body,
        })
    }
}

fn body(delivery: &Delivery) -> Result<Vec<u8>, serde_json::Error> {
    let event = &delivery.event;
    let data: Value = serde_json::from_str(event.data.get())?;
    let at = Time::from_millis(event.at_ms);
    let (event_type, owner_id) = (event.event_type.clone(), delivery.owner.to_string());
    match &delivery.subject {
        Subject::Task(task, agent) => envelope(
            Event {
                seq: event.seq,
                event_type: event_type.clone(),
                at,
                task_id: task.to_string(),
                owner_id,
                agent: agent.to_string(),
                turn: event.turn,
                attempt: event.attempt,
                data,
            },
            event_type,
            at,
        ),
        Subject::Batch(batch) => envelope(
            BatchEvent {
                seq: event.seq,
                event_type: event_type.clone(),
                at,
                batch_id: batch.to_string(),
                owner_id,
                data,
            },
            event_type,
            at,
        ),
    }
}

fn envelope(
    data: impl Serialize,
    event_type: String,
    timestamp: Time,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&WebhookMessage {
        event_type,
        timestamp,
        data,
    })
}
