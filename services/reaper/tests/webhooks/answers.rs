//! What comes of each answer.

use std::time::{Duration, Instant};

use factorial_core::{DeliveryState, OwnerId};

use crate::{
    receiver::{Receiver, Reply},
    world::{SECRET, World, eventually, options},
};

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_id_and_body() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver =
        Receiver::start(|before| Reply::Status(if before == 0 { 500 } else { 200 })).await;
    let task = world.tell(receiver.url()).await;
    let delivery = world.ended(&task).await;
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Delivered, 2)
    );
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
    assert!(got.iter().all(|got| got.is_signed_with(SECRET)));
    assert!(got[1].at - got[0].at < Duration::from_secs(8));
    reaper.stop().await;
}

#[tokio::test]
async fn a_receiver_may_ask_for_time() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let wait = |before| match before {
        0 => Reply::With(503, "retry-after", "6".to_owned()),
        _ => Reply::Status(200),
    };
    let receiver = Receiver::start(wait).await;
    let task = world.tell(receiver.url()).await;
    let first = world.tried(&task, 1).await;
    assert_eq!(
        (first.state, first.said.as_deref()),
        (DeliveryState::Pending, Some("503"))
    );
    assert!(first.due_ms.unwrap() - first.tried_ms.unwrap() >= 6000);
    world.ended(&task).await;
    let got = receiver.got();
    assert!(got[1].at - got[0].at >= Duration::from_secs(6));
    reaper.stop().await;
}

#[tokio::test]
async fn it_is_given_up_in_the_end_and_tried_again_when_asked() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver =
        Receiver::start(|before| Reply::Status(if before < 2 { 404 } else { 202 })).await;
    let task = world.tell(receiver.url()).await;
    let first = world.tried(&task, 1).await;
    // A receiver that asks for more than a day is one that never answers.
    let asking = Receiver::start(|_| Reply::With(429, "retry-after", "90000".to_owned())).await;
    let hopeless = world.ended(&world.tell(asking.url()).await).await;
    assert_eq!(
        (hopeless.state, hopeless.attempts, hopeless.said.as_deref()),
        (DeliveryState::Failed, 1, Some("429"))
    );
    world.store.retry_delivery(&first.id, None).await.unwrap();
    world.store.retry_delivery(&first.id, None).await.unwrap();
    let last = world.ended(&task).await;
    assert_eq!(last.state, DeliveryState::Delivered);
    world.store.retry_delivery(&first.id, None).await.unwrap();
    let again = eventually(async || receiver.got().get(3).cloned()).await;
    assert_eq!(again.header("webhook-id"), first.id.as_str());
    reaper.stop().await;
}

#[tokio::test]
async fn gone_switches_a_webhook_off() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver = Receiver::start(|_| Reply::Status(410)).await;
    let webhook = world.add("wh_one", &receiver.url()).await;
    let task = world.cancelled(None).await;
    let delivery = world.ended(&task).await;
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Failed, 1)
    );
    let owner = OwnerId::new("o").unwrap();
    eventually(async || {
        let all = world.store.owner_webhooks(&owner).await.unwrap();
        (!all[0].on
            && world
                .store
                .owners_with_changed_webhooks()
                .await
                .unwrap()
                .is_empty())
        .then_some(())
    })
    .await;
    let quiet = world.cancelled(None).await;
    assert!(
        world
            .store
            .task_deliveries(&quiet)
            .await
            .unwrap()
            .is_empty()
    );
    // What was on its way is given up without a try.
    world
        .store
        .retry_delivery(&delivery.id, None)
        .await
        .unwrap();
    let off = eventually(async || {
        Some(world.delivery(&task).await).filter(|d| d.said.as_deref() == Some("webhook_disabled"))
    })
    .await;
    assert_eq!(off.state, DeliveryState::Failed);
    world
        .store
        .remove_webhook(&webhook.id, &owner)
        .await
        .unwrap();
    world
        .store
        .retry_delivery(&delivery.id, None)
        .await
        .unwrap();
    eventually(async || {
        Some(world.delivery(&task).await).filter(|d| d.said.as_deref() == Some("webhook_removed"))
    })
    .await;
    assert_eq!(receiver.got().len(), 1);
    reaper.stop().await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_endless_answers_not_read() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let other = Receiver::obliging().await;
    let target = other.url();
    let redirecting = Receiver::start(move |_| Reply::With(307, "location", target.clone())).await;
    let task = world.tell(redirecting.url()).await;
    let delivery = world.tried(&task, 1).await;
    assert_eq!(
        (delivery.state, delivery.said.as_deref()),
        (DeliveryState::Pending, Some("307"))
    );
    let endless = Receiver::start(|_| Reply::Endless).await;
    let started = Instant::now();
    let delivery = world.ended(&world.tell(endless.url()).await).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(other.got().is_empty());
    reaper.stop().await;
}

#[tokio::test]
async fn no_answer_is_told_in_words() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let plain = Receiver::obliging().await;
    for (url, said) in [
        (format!("http://127.0.0.1:{port}/"), "connection_failed"),
        (format!("http://127.0.0.1:{silent_port}/"), "timeout"),
        (format!("https://127.0.0.1:{}/", plain.port()), "tls_failed"),
    ] {
        let task = world.tell(url).await;
        let tried = world.tried(&task, 1).await;
        assert_eq!(
            (tried.state, tried.said.as_deref()),
            (DeliveryState::Pending, Some(said))
        );
    }
    reaper.stop().await;
}
