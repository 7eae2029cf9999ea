//! Webhooks and deliveries as text.

use factorial_api::{DeliveryStatus, Time, Webhook, WebhookDelivery, WebhookEventType};

use super::age::age;
use super::paint::{Paint, Tint};
use super::table::Table;

/// One line for each webhook.
pub(crate) fn webhook_table(webhooks: &[Webhook], now: Time, paint: Paint) -> String {
    if webhooks.is_empty() {
        return "No webhooks.\n".to_owned();
    }
    let mut table = Table::new(paint, &["ID", "STATE", "ADDED", "SECRET", "EVENTS", "URL"]);
    for webhook in webhooks {
        let (state, tint) = if webhook.enabled {
            ("on", Tint::Good)
        } else {
            ("off", Tint::Bad)
        };
        let events: Vec<_> = webhook
            .event_types
            .iter()
            .map(|event| WebhookEventType::as_str(*event))
            .collect();
        let events = if events.is_empty() {
            "all".to_owned()
        } else {
            events.join(",")
        };
        let secret = if webhook.own_secret { "own" } else { "owner's" };
        table.row([
            (webhook.id.clone(), Tint::Plain),
            (state.to_owned(), tint),
            (age(webhook.created_at, now), Tint::Plain),
            (secret.to_owned(), Tint::Plain),
            (events, Tint::Plain),
            (webhook.url.clone(), Tint::Plain),
        ]);
    }
    table.render()
}

/// One line for each delivery.
pub(crate) fn delivery_table(deliveries: &[WebhookDelivery], now: Time, paint: Paint) -> String {
    if deliveries.is_empty() {
        return "No deliveries.\n".to_owned();
    }
    let header = [
        "ID", "EVENT", "STATUS", "ATTEMPTS", "LAST", "CREATED", "NEXT", "URL",
    ];
    let mut table = Table::new(paint, &header);
    for delivery in deliveries {
        let tint = match delivery.status {
            DeliveryStatus::Delivered => Tint::Good,
            DeliveryStatus::Pending => Tint::Busy,
            DeliveryStatus::Failed => Tint::Bad,
        };
        let status = delivery.last_status.map(|status| status.to_string());
        let last = status.or_else(|| delivery.last_error.clone());
        let next = delivery.next_attempt_at.map(|at| age(at, now));
        table.row([
            (delivery.id.clone(), Tint::Plain),
            (delivery.event_type.clone(), Tint::Plain),
            (delivery.status.as_str().to_owned(), tint),
            (delivery.attempts.to_string(), Tint::Plain),
            (last.unwrap_or_default(), Tint::Plain),
            (age(delivery.created_at, now), Tint::Plain),
            (next.unwrap_or_default(), Tint::Plain),
            (delivery.url.clone().unwrap_or_default(), Tint::Plain),
        ]);
    }
    table.render()
}
