//! Judges webhooks, of tasks, batches and owners.
//!
//! Invariant: what passes is a URL that a request can be made of, and a secret that signs. Whether its address is one that
//! may be reached is judged when it is connected to, since names change their addresses.

use factorial_api::{AddWebhook, TaskWebhook, WebhookEventType};
use factorial_core::{OwnerId, Owners, Receiver, WebhookEvent};
use factorial_service::{ApiError, WebhookSecret};
use url::Url;

use super::bounds::Checks;

/// Most characters of a URL.
const LONGEST_URL: usize = 2048;

/// What a webhook is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One task.
    Task,
    /// A batch, and its members.
    Batch,
    /// All tasks and batches of an owner.
    Owner,
}

/// The webhook of a batch.
///
/// # Errors
/// All wrong fields, as pointers into the body of the batch.
pub(crate) fn check_batch_webhook(given: &TaskWebhook) -> Result<Receiver, ApiError> {
    let mut checks = Checks::default();
    let receiver = check(given, Kind::Batch, "/webhook", &mut checks);
    checks.finish()?;
    receiver.ok_or_else(|| ApiError::internal("a wrong field was not reported"))
}

/// A webhook of an owner.
///
/// # Errors
/// All wrong fields, as pointers into its body.
pub(crate) fn check_owner_webhook(
    owners: &Owners,
    given: AddWebhook,
) -> Result<(OwnerId, Receiver), ApiError> {
    let mut checks = Checks::default();
    let owner = checks.owner(owners, &given.owner_id);
    let webhook = TaskWebhook {
        url: given.url,
        event_types: given.event_types,
        secret: given.secret,
    };
    let receiver = check(&webhook, Kind::Owner, "", &mut checks);
    checks.finish()?;
    owner
        .zip(receiver)
        .ok_or_else(|| ApiError::internal("a wrong field was not reported"))
}

/// The receiver, if it is acceptable.
pub(super) fn check(
    given: &TaskWebhook,
    kind: Kind,
    pointer: &str,
    checks: &mut Checks,
) -> Option<Receiver> {
    let url = check_url(&given.url).map_err(|problem| {
        checks.require(false, format!("{pointer}/url"), problem);
    });
    if let Some(Err(problem)) = given
        .secret
        .as_ref()
        .map(|s| WebhookSecret::parse(s.expose()))
    {
        checks.require(false, format!("{pointer}/secret"), problem);
    }
    let mut events: Vec<WebhookEvent> = given.event_types.iter().map(|t| stored(*t)).collect();
    events.sort_unstable();
    events.dedup();
    if kind == Kind::Task {
        checks.require(
            !events.iter().any(|event| event.is_of_batch()),
            format!("{pointer}/event_types"),
            "must be types of tasks",
        );
    }
    if kind == Kind::Batch && events.is_empty() {
        events = vec![WebhookEvent::BatchCompleted, WebhookEvent::BatchCancelled];
    }
    if events.len() == WebhookEvent::ALL.len() {
        events.clear();
    }
    Some(Receiver {
        url: url.ok()?,
        events,
        secret: given.secret.as_ref().map(|s| s.expose().to_owned().into()),
    })
}

/// The URL as it will be asked.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_url(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("must be at most 2048 characters");
    }
    let mut url = Url::parse(text).map_err(|_| "is not a URL")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a name or a password");
    }
    url.set_fragment(None);
    let text = String::from(url);
    if text.len() > LONGEST_URL {
        return Err("must be at most 2048 characters");
    }
    Ok(text)
}

fn stored(event: WebhookEventType) -> WebhookEvent {
    match event {
        WebhookEventType::RunCompleted => WebhookEvent::RunCompleted,
        WebhookEventType::RunFailed => WebhookEvent::RunFailed,
        WebhookEventType::RunCancelled => WebhookEvent::RunCancelled,
        WebhookEventType::RunParked => WebhookEvent::RunParked,
        WebhookEventType::ApprovalRequested => WebhookEvent::ApprovalRequested,
        WebhookEventType::ToolCallDeferred => WebhookEvent::ToolCallDeferred,
        WebhookEventType::BatchCompleted => WebhookEvent::BatchCompleted,
        WebhookEventType::BatchCancelled => WebhookEvent::BatchCancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_asked_is_a_receiver() {
        for (good, asked) in [
            ("https://example.org", "https://example.org/"),
            (
                "http://Example.org:8080/a?b=c#d",
                "http://example.org:8080/a?b=c",
            ),
            (
                "https://\u{e9}.example/\u{e9} x",
                "https://xn--9ca.example/%C3%A9%20x",
            ),
            ("http://0x7f.1/", "http://127.0.0.1/"),
        ] {
            assert_eq!(check_url(good).as_deref(), Ok(asked));
        }
        let long = format!("https://example.org/{}", "x".repeat(2048));
        for bad in [
            "",
            "example.org",
            "ftp://example.org",
            "file:///etc/passwd",
            "https://",
            "unix:/x",
            "https://me@example.org",
            "https://me:secret@example.org",
            long.as_str(),
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
