//! Who may be reached.

use factorial_core::DeliveryState;
use factorial_reaper::WebhookOptions;

use crate::{
    receiver::Receiver,
    world::{World, options},
};

#[tokio::test]
async fn private_addresses_are_not_reached() {
    let world = World::new().await;
    let reaper = world.reaper(WebhookOptions {
        allow_private_networks: false,
        ..options()
    });
    let receiver = Receiver::obliging().await;
    let port = receiver.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://[64:ff9b::7f00:1]/".to_owned(),
    ] {
        let delivery = world.ended(&world.tell(url.clone()).await).await;
        assert_eq!(
            (delivery.state, delivery.said.as_deref()),
            (DeliveryState::Failed, Some("private_address")),
            "{url}"
        );
    }
    assert!(receiver.got().is_empty());
    reaper.stop().await;
    // What was refused is sent when that is allowed and somebody asks.
    let reaper = world.reaper(options());
    let task = world.tell(format!("http://localhost:{port}/")).await;
    assert_eq!(world.ended(&task).await.state, DeliveryState::Delivered);
    reaper.stop().await;
}
