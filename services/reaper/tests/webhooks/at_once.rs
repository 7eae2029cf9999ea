//! Many receivers, some of which are slow, and several reapers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{
    receiver::{Receiver, Reply},
    world::{World, eventually, options},
};

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else_and_gets_so_many_at_once() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let slow = Receiver::start(|_| Reply::After(Duration::from_secs(60), 200)).await;
    let quick = Receiver::obliging().await;
    for _ in 0..40 {
        world.tell(slow.url()).await;
    }
    eventually(async || (slow.got().len() >= 4).then_some(())).await;
    let started = Instant::now();
    for _ in 0..20 {
        world.tell(quick.url()).await;
    }
    eventually(async || (quick.got().len() == 20).then_some(())).await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(slow.most_open(), 4);
    drop(reaper);
}

#[tokio::test]
async fn a_quick_receiver_gets_a_backlog_in_parallel() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| Reply::After(Duration::from_millis(20), 200)).await;
    for _ in 0..100 {
        world.tell(receiver.url()).await;
    }
    let reaper = world.reaper(options());
    eventually(async || (receiver.got().len() >= 100).then_some(())).await;
    assert_eq!(receiver.most_open(), 4);
    let ids: BTreeSet<String> = receiver
        .got()
        .iter()
        .map(|g| g.header("webhook-id").to_owned())
        .collect();
    assert_eq!((ids.len(), receiver.got().len()), (100, 100));
    reaper.stop().await;
}

#[tokio::test]
async fn two_reapers_share_the_work_and_send_each_once() {
    let world = World::new().await;
    let receiver = Receiver::start(|_| Reply::After(Duration::from_millis(5), 200)).await;
    let reapers = [world.reaper(options()), world.reaper(options())];
    for _ in 0..200 {
        world.tell(receiver.url()).await;
    }
    eventually(async || (receiver.got().len() >= 200).then_some(())).await;
    for reaper in reapers {
        reaper.stop().await;
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for got in receiver.got() {
        *times
            .entry(got.header("webhook-id").to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|n| *n == 1), "{times:?}");
    for partition in world.store.all_partitions() {
        assert_eq!(world.store.pending_deliveries(partition).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_reaper_that_stops_finishes_what_it_sends() {
    let world = World::new().await;
    let reaper = world.reaper(options());
    let receiver = Receiver::start(|_| Reply::After(Duration::from_millis(500), 200)).await;
    let task = world.tell(receiver.url()).await;
    eventually(async || (receiver.got().len() == 1).then_some(())).await;
    reaper.stop().await;
    let delivery = world.delivery(&task).await;
    assert_eq!(
        (delivery.attempts, delivery.said.as_deref()),
        (1, Some("200"))
    );
}
