//! A stream on the wire: WebSocket, one text message for each item.
//!
//! Invariant: at most the items of one step of the source are held for a client; one that does not take them in time is
//! dropped with a reason.

use std::{pin::pin, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    request::{KEY_ENDED, Terms},
    source::{End, Source},
};
use crate::metrics::{STREAM_EVENTS_TOTAL, STREAMS_ENDED_TOTAL};

/// How long a client may take to read a message.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// How long the goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Sends what the source brings until it ends, the client leaves, or `drain`.
pub(super) async fn serve(mut socket: WebSocket, mut source: Source, terms: Terms) {
    let (reason, close) = run(&mut socket, &mut source, &terms).await;
    metrics::counter!(STREAMS_ENDED_TOTAL, "reason" => reason).increment(1);
    tracing::debug!(log.id = source.id(), reason, "event socket ended");
    if let Some((code, text)) = close {
        let frame = CloseFrame {
            code,
            reason: text.into(),
        };
        let goodbye = async {
            if socket.send(Message::Close(Some(frame))).await.is_ok() {
                // Until the client has closed its side, or what it has not read yet would be lost.
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }
    drop(terms);
}

type Ended = (&'static str, Option<(u16, String)>);

async fn run(socket: &mut WebSocket, source: &mut Source, terms: &Terms) -> Ended {
    let keep_alive = terms.keep_alive;
    let mut key_ended = pin!(terms.caller.ended());
    let mut heard = Instant::now();
    let mut quiet = heard + keep_alive;
    let in_data = matches!(source, Source::Log(_));
    loop {
        tokio::select! {
            biased;
            () = &mut key_ended => {
                return ("key", Some((close_code::POLICY, KEY_ENDED.to_owned())));
            }
            () = terms.drain.cancelled() => {
                let text = "this gateway is stopping; connect again".to_owned();
                return ("drain", Some((close_code::AWAY, text)));
            }
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_))) | None => return ("client", None),
                Some(Ok(_)) => {
                    heard = Instant::now();
                    continue;
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "event socket broke");
                    return ("client", None);
                }
            },
            next = source.next() => match next {
                Ok(items) => {
                    for item in items {
                        let text = if in_data { item.data } else { item.data_with_cursor() };
                        if let Err(ended) = send(socket, Message::Text(text.into())).await {
                            return ended;
                        }
                        metrics::counter!(STREAM_EVENTS_TOTAL).increment(1);
                    }
                    quiet = Instant::now() + keep_alive;
                    continue;
                }
                Err(end) => {
                    let code = if end == End::Failed { close_code::ERROR } else { close_code::NORMAL };
                    return (end.reason(), Some((code, source.farewell(end))));
                }
            },
            () = sleep_until(quiet) => {}
        }
        if heard.elapsed() > keep_alive * 3 {
            return ("client", None);
        }
        let cursor = source
            .quiet()
            .map(|cursor| format!(r#"{{"cursor":"{cursor}"}}"#));
        let messages = cursor.map(|text| Message::Text(text.into())).into_iter();
        for message in messages.chain([Message::Ping(Vec::new().into())]) {
            if let Err(ended) = send(socket, message).await {
                return ended;
            }
        }
        quiet = Instant::now() + keep_alive;
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Ended> {
    match timeout(READ_WITHIN, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(("client", None)),
        Err(_) => {
            let text = "too slow: go on from the last message".to_owned();
            Err(("slow", Some((close_code::POLICY, text))))
        }
    }
}
