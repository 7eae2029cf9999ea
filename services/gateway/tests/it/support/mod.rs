//! A gateway in this process, a Redis of its own, and a worker that is driven by hand.

mod hand;
mod http;
mod waits;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use factorial_client::{Client, RetryPolicy};
use factorial_core::{Namespace, Store, StoreOptions};
use factorial_gateway::{Access, Tls};
use factorial_local_redis::{Engine, LocalRedis, Options};
use factorial_service::{
    Shutdown,
    config::{GatewayConfig, GatewayRole, defaults},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use hand::Hand;
pub(crate) use http::{Answer, Frame, Frames, raw, submission};
pub(crate) use waits::Ask;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) store: Store,
    /// For the hand: a busy machine is no outage.
    patient: Store,
    pub(crate) redis: LocalRedis,
    pub(crate) shutdown: Shutdown,
    pub(crate) running: JoinHandle<()>,
    pub(crate) http: reqwest::Client,
}

pub(crate) async fn redis() -> LocalRedis {
    let options = Options {
        engine: Engine::Server,
        ..Options::default()
    };
    tokio::task::spawn_blocking(|| LocalRedis::start(options))
        .await
        .unwrap()
        .unwrap()
}

pub(crate) fn config() -> GatewayConfig {
    let mut config = defaults::<GatewayRole>().unwrap().gateway;
    config.grace_period_seconds = Duration::from_secs(5);
    config
}

/// A gateway with the agents `writer` and `reader`, which `hand` serves.
pub(crate) async fn gateway() -> Gateway {
    gateway_with(config(), 1).await
}

pub(crate) async fn gateway_with(config: GatewayConfig, partitions: u16) -> Gateway {
    gateway_for(Access::open(), config, partitions).await
}

/// A gateway that asks who calls, as `access` says.
pub(crate) async fn gateway_for(access: Access, config: GatewayConfig, partitions: u16) -> Gateway {
    gateway_over(None, access, config, partitions).await
}

/// A gateway that soon says so when Redis does not answer, also when that is only busy.
pub(crate) async fn impatient_gateway() -> Gateway {
    let soon = Duration::from_millis(800);
    started(None, Access::open(), config(), 1, soon).await
}

/// The same, over TLS if there is any.
pub(crate) async fn gateway_over(
    tls: Option<Tls>,
    access: Access,
    config: GatewayConfig,
    partitions: u16,
) -> Gateway {
    started(tls, access, config, partitions, Duration::from_secs(10)).await
}

async fn started(
    tls: Option<Tls>,
    access: Access,
    config: GatewayConfig,
    partitions: u16,
    redis_timeout: Duration,
) -> Gateway {
    let redis = redis().await;
    let mut options = StoreOptions::new(redis.url(), Namespace::new("test").unwrap());
    options.partitions = Some(partitions);
    options.timeout = redis_timeout;
    let store = Store::connect(&options).await.unwrap();
    options.timeout = Duration::from_secs(10);
    let patient = Store::connect(&options).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    let running = tokio::spawn({
        let (store, shutdown) = (store.clone(), shutdown.clone());
        async move { factorial_gateway::run(listener, store, &config, access, tls, &shutdown).await }
    });
    let gateway = Gateway {
        url,
        store,
        patient,
        redis,
        shutdown,
        running,
        http: reqwest::Client::new(),
    };
    gateway.hand().announce(&["writer", "reader"]).await;
    gateway
}

impl Gateway {
    pub(crate) fn hand(&self) -> Hand {
        Hand::new(self.patient.clone())
    }

    /// A client that tries once, so that a test sees every refusal.
    pub(crate) fn client(&self) -> Client {
        let builder = Client::builder(&self.url).retry(RetryPolicy::never());
        builder.build().unwrap()
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

/// Polls until `look` finds something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
