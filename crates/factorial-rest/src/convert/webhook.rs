//! Webhooks and deliveries.

use std::collections::BTreeMap;

use factorial_api::{
    DeliveryStatus, Time, Webhook, WebhookDelivery, WebhookEventType as WireEvent,
};
use factorial_core::{
    Delivery, DeliveryState, Subject, Webhook as StoredWebhook, WebhookEvent, WebhookId,
};

/// A webhook as clients see it: without its secret.
pub(crate) fn webhook(stored: StoredWebhook) -> Webhook {
    Webhook {
        id: stored.id.into(),
        owner_id: stored.owner.into(),
        url: stored.receiver.url,
        event_types: stored.receiver.events.into_iter().map(event).collect(),
        enabled: stored.on,
        own_secret: stored.receiver.secret.is_some(),
        created_at: Time::from_millis(stored.created_ms),
    }
}

/// A delivery as clients see it; `urls` of the webhooks of owners.
pub(crate) fn delivery(stored: Delivery, urls: &BTreeMap<WebhookId, String>) -> WebhookDelivery {
    let webhook = stored.id.webhook();
    let url = match stored.receiver {
        Some(receiver) => Some(receiver.url),
        None => webhook.and_then(|id| urls.get(id).cloned()),
    };
    let (task, batch) = match stored.subject {
        Subject::Task(task, _) => (Some(task.into()), None),
        Subject::Batch(batch) => (None, Some(batch.into())),
    };
    let last_status = stored.said.as_ref().and_then(|said| said.parse().ok());
    WebhookDelivery {
        webhook_id: webhook.map(|id| id.as_str().to_owned()),
        event_type: stored.event.event_type,
        seq: stored.event.seq,
        owner_id: stored.owner.into(),
        task_id: task,
        batch_id: batch,
        url,
        status: match stored.state {
            DeliveryState::Pending => DeliveryStatus::Pending,
            DeliveryState::Delivered => DeliveryStatus::Delivered,
            DeliveryState::Failed => DeliveryStatus::Failed,
        },
        attempts: stored.attempts,
        last_status,
        last_error: stored.said.filter(|_| last_status.is_none()),
        created_at: Time::from_millis(stored.created_ms),
        last_attempt_at: stored.tried_ms.map(Time::from_millis),
        next_attempt_at: stored
            .due_ms
            .filter(|_| stored.state == DeliveryState::Pending)
            .map(Time::from_millis),
        ended_at: stored.ended_ms.map(Time::from_millis),
        id: stored.id.into(),
    }
}

fn event(stored: WebhookEvent) -> WireEvent {
    match stored {
        WebhookEvent::RunCompleted => WireEvent::RunCompleted,
        WebhookEvent::RunFailed => WireEvent::RunFailed,
        WebhookEvent::RunCancelled => WireEvent::RunCancelled,
        WebhookEvent::RunParked => WireEvent::RunParked,
        WebhookEvent::ApprovalRequested => WireEvent::ApprovalRequested,
        WebhookEvent::ToolCallDeferred => WireEvent::ToolCallDeferred,
        WebhookEvent::BatchCompleted => WireEvent::BatchCompleted,
        WebhookEvent::BatchCancelled => WireEvent::BatchCancelled,
    }
}
