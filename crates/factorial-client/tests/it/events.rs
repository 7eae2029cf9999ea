//! Event streams: every `seq` once, whatever breaks.

use std::time::Duration;

use factorial_api::ErrorCode;
use factorial_client::{Client, ClientError, RetryPolicy};
use futures::StreamExt;

use crate::support::{broken, frame, problem, server, silent, status, whole};

async fn read(client: &Client, after: u64) -> (Vec<u64>, Option<ClientError>) {
    let (mut seqs, mut error) = (Vec::new(), None);
    let mut events = client.events("x", after);
    while let Some(event) = events.next().await {
        assert!(error.is_none(), "nothing comes after an error");
        match event {
            Ok(event) => seqs.push(event.seq),
            Err(e) => error = Some(e),
        }
    }
    (seqs, error)
}

#[tokio::test]
async fn goes_on_where_it_was_cut() {
    let half = frame(3, "t")[..20].to_owned();
    let server = server([
        status(503),
        broken(vec![
            ": hello\n\nretry: 1000\n\n".to_owned(),
            frame(1, "t"),
            frame(2, "t"),
            half,
        ]),
        problem(503, "overloaded", None),
        // Repeats one, ends in order.
        whole(vec![frame(2, "t"), frame(3, "t")]),
        whole(vec![": stopping\n\n".to_owned()]),
        whole(vec![frame(4, "run_completed")]),
        status(204),
    ])
    .await;
    let (seqs, error) = read(&server.client(), 0).await;
    assert_eq!((seqs, error.is_none()), (vec![1, 2, 3, 4], true));
    let from: Vec<_> = server
        .lines()
        .iter()
        .map(|line| line.rsplit_once('=').unwrap().1.to_owned())
        .collect();
    assert_eq!(from, ["0", "0", "2", "2", "3", "3", "4"]);
    assert_eq!(server.asked()[0].headers["accept"], "text/event-stream");
}

#[tokio::test]
async fn a_hole_is_filled_by_asking_again() {
    let server = server([
        whole(vec![frame(1, "t"), frame(3, "t")]),
        whole(vec![frame(2, "t"), frame(3, "t")]),
        status(204),
    ])
    .await;
    let (seqs, error) = read(&server.client(), 0).await;
    assert_eq!((seqs, error.is_none()), (vec![1, 2, 3], true));
}

#[tokio::test]
async fn silence_is_not_waited_for() {
    let server = server([
        silent(vec![frame(1, "t")]),
        whole(vec![frame(2, "t")]),
        status(204),
    ])
    .await;
    let client = server
        .builder()
        .stream_silence(Duration::from_millis(50))
        .build()
        .unwrap();
    let (seqs, error) = read(&client, 0).await;
    assert_eq!((seqs, error.is_none()), (vec![1, 2], true));
}

#[tokio::test]
async fn a_refusal_ends_it() {
    let gone = || problem(404, "task_not_found", None);
    let first = server([gone()]).await;
    let (seqs, error) = read(&first.client(), 0).await;
    assert_eq!(
        (seqs.len(), error.unwrap().code()),
        (0, Some(ErrorCode::TaskNotFound))
    );
    // A task that has ended may expire before it is asked for again.
    let expired = server([whole(vec![frame(1, "run_failed")]), gone()]).await;
    let (seqs, error) = read(&expired.client(), 0).await;
    assert_eq!((seqs, error.is_none()), (vec![1], true));
    let garbled = server([whole(vec!["data: {}\n\n".to_owned()])]).await;
    assert!(matches!(
        read(&garbled.client(), 0).await.1,
        Some(ClientError::Decode(_))
    ));
}

#[tokio::test]
async fn a_gateway_that_stays_away_is_given_up() {
    let server = server((0..9).map(|_| whole(Vec::new()))).await;
    let policy = RetryPolicy {
        stream_tries: 4,
        first: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let client = server.builder().retry(policy).build().unwrap();
    let (seqs, error) = read(&client, 7).await;
    assert!(seqs.is_empty() && error.unwrap().is_temporary());
    assert_eq!(server.lines().len(), 4);
}
