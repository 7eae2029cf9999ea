//! What is sent, and how it is signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use factorial_core::{DeliveryState, OwnerId};
use factorial_service::WebhookSecret;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    receiver::Receiver,
    world::{SECRET, World, eventually, options},
};

#[tokio::test]
async fn a_message_is_that_of_standard_webhooks() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver = Receiver::obliging().await;
    let task = world.tell(receiver.url()).await;
    let delivery = world.ended(&task).await;
    assert_eq!(
        (delivery.state, delivery.attempts, delivery.said.as_deref()),
        (DeliveryState::Delivered, 1, Some("204"))
    );
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    let got = &got[0];
    assert_eq!(got.path, "/hook?x=1");
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("webhook-id"), delivery.id.as_str());
    assert_eq!(got.header("webhook-id"), format!("{task}.2.task"));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let stamp: u64 = got.header("webhook-timestamp").parse().unwrap();
    assert!(now.abs_diff(stamp) < 60);
    assert!(got.is_signed_with(SECRET));
    assert!(!got.is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    let body = got.json();
    let at = body["timestamp"].clone();
    assert!(at.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        body,
        json!({
            "type": "run_cancelled",
            "timestamp": at,
            "data": {
                "seq": 2, "event_type": "run_cancelled", "at": at, "task_id": task.as_str(), "owner_id": "o", "agent": "a",
                "turn": 0, "attempt": 0, "data": {"reason": "tested"},
            },
        })
    );
    reaper.stop().await;
}

#[tokio::test]
async fn webhooks_of_an_owner_are_signed_with_its_secret() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver = Receiver::obliging().await;
    let webhook = world.add("wh_one", &receiver.url()).await;
    let task = world.cancelled(None).await;
    world.ended(&task).await;
    let secret = world
        .store
        .secret("never used: there is one by now")
        .await
        .unwrap();
    let secret = WebhookSecret::of_owner(&secret, "test", "o").text();
    let got = receiver.got();
    assert!(got[0].is_signed_with(secret.expose_secret()));
    assert_eq!(got[0].header("webhook-id"), format!("{task}.2.wh_one"));
    // From both partitions, and not when it is gone.
    let other = world.cancelled(None).await;
    world.ended(&other).await;
    assert_ne!(task.partition(), other.partition());
    assert_eq!(
        world
            .store
            .webhook_deliveries(&webhook.id)
            .await
            .unwrap()
            .len(),
        2
    );
    let owner = OwnerId::new("o").unwrap();
    world
        .store
        .remove_webhook(&webhook.id, &owner)
        .await
        .unwrap();
    world.cancelled(None).await;
    let told = world.tell(receiver.url()).await;
    world.ended(&told).await;
    assert_eq!(receiver.got().len(), 3);
    reaper.stop().await;
}

#[tokio::test]
async fn it_goes_out_at_once() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver = Receiver::obliging().await;
    world.ended(&world.tell(receiver.url()).await).await;
    let before = std::time::Instant::now();
    world.tell(receiver.url()).await;
    let second = eventually(async || receiver.got().get(1).cloned()).await;
    assert!(
        second.at - before < Duration::from_secs(2),
        "long before the interval of 10 s"
    );
    reaper.stop().await;
}
