//! Events over WebSockets: the same, in the same order, from any place on.

use std::time::Duration;

use factorial_api::Event;
use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::CloseFrame},
};

use crate::support::{Gateway, PATIENCE, config, eventually, gateway, gateway_with};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn connect(gateway: &Gateway, path: &str) -> Socket {
    let url = format!("ws://{}{path}", gateway.address());
    connect_async(url).await.unwrap().0
}

/// The next text; the close frame at the end.
pub(crate) async fn text(socket: &mut Socket) -> Result<String, Option<CloseFrame>> {
    loop {
        match timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(Message::Close(close))) => return Err(close),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn event(socket: &mut Socket) -> Event {
    serde_json::from_str(&text(socket).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_socket_brings_what_a_stream_brings() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    let mut socket = connect(&gateway, &format!("/v1/tasks/{id}/events")).await;
    assert_eq!(event(&mut socket).await.event_type, "task_enqueued");
    let mut claimed = hand.claim().await;
    assert_eq!(event(&mut socket).await.event_type, "run_started");
    hand.turn(&mut claimed, 1, 4, "a").await;
    hand.complete(&claimed, None).await;
    let mut seen = Vec::new();
    let close = loop {
        match text(&mut socket).await {
            Ok(text) => seen.push(serde_json::from_str::<Event>(&text).unwrap()),
            Err(close) => break close.unwrap(),
        }
    };
    assert_eq!(u16::from(close.code), 1000);
    assert_eq!(close.reason.as_str(), "the task has ended");
    let page = gateway.client().event_page(&id, 2, None).await.unwrap();
    assert_eq!(seen, page.data);
    // From every place on, also when it has ended.
    for after in 0..=page.last_seq {
        let path = format!("/v1/tasks/{id}/events?starting_after={after}");
        let mut socket = connect(&gateway, &path).await;
        let mut next = after + 1;
        while let Ok(text) = text(&mut socket).await {
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap().seq, next);
            next += 1;
        }
        assert_eq!(next, page.last_seq + 1);
    }
}

#[tokio::test]
async fn what_is_refused_is_refused_before_the_handshake() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    for (path, status) in [
        (
            "/v1/tasks/0-01hf7yat000000000000000007/events".to_owned(),
            404,
        ),
        (format!("/v1/tasks/{id}/events?starting_after=x"), 422),
        ("/v1/events".to_owned(), 422),
    ] {
        let url = format!("ws://{}{path}", gateway.address());
        let Err(Error::Http(answer)) = connect_async(url).await else {
            panic!("{path} was not refused");
        };
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    // No handshake at all.
    let request = gateway
        .request(Method::GET, &format!("/v1/tasks/{id}/events"))
        .header("upgrade", "websocket");
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body["errors"][0]["field"], "Upgrade");
}

#[tokio::test]
async fn a_gateway_that_stops_says_so() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let mut socket = connect(&gateway, &format!("/v1/tasks/{id}/events")).await;
    event(&mut socket).await;
    gateway.shutdown.drain.cancel();
    let close = text(&mut socket).await.unwrap_err().unwrap();
    assert_eq!(u16::from(close.code), 1001);
    timeout(PATIENCE, gateway.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn sockets_have_the_same_bound_as_streams_and_give_their_place_back() {
    let mut config = config();
    config.max_event_streams = 1;
    let gateway = gateway_with(config, 1).await;
    let id = gateway.submit(&json!({})).await;
    let path = format!("/v1/tasks/{id}/events");
    let mut socket = connect(&gateway, &path).await;
    event(&mut socket).await;
    let url = format!("ws://{}{path}", gateway.address());
    let Err(Error::Http(answer)) = connect_async(&url).await else {
        panic!("a second one was let in");
    };
    assert_eq!(answer.status().as_u16(), 503);
    socket.close(None).await.unwrap();
    eventually("a free place", async || connect_async(&url).await.ok()).await;
}

#[tokio::test]
async fn a_quiet_socket_is_kept_alive_and_a_dead_one_is_given_up() {
    let mut config = config();
    config.stream_keep_alive_seconds = Duration::from_millis(100);
    config.max_event_streams = 1;
    let gateway = gateway_with(config, 1).await;
    let id = gateway.submit(&json!({})).await;
    let path = format!("/v1/tasks/{id}/events");
    let mut socket = connect(&gateway, &path).await;
    event(&mut socket).await;
    for _ in 0..5 {
        let message = timeout(PATIENCE, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        // Its answer.
        socket.flush().await.unwrap();
    }
    // From here on it answers nothing: its place becomes free.
    let url = format!("ws://{}{path}", gateway.address());
    eventually("a free place", async || connect_async(&url).await.ok()).await;
}
