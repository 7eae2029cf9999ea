//! One task, followed live.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Dashboard, Socket, dashboard};

/// What a page has put together of a task.
#[derive(Default)]
struct Seen {
    seqs: Vec<u64>,
    messages: Vec<u64>,
    status: String,
    trees: usize,
}

impl Seen {
    fn take(&mut self, data: &Value) {
        let numbers = |list: &Value, name: &str| -> Vec<u64> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|e| e[name].as_u64().unwrap())
                .collect()
        };
        self.seqs.extend(numbers(&data["events"], "seq"));
        self.messages.extend(numbers(&data["messages"], "index"));
        self.status = data["task"]["status"].as_str().unwrap().to_owned();
        self.trees += usize::from(data["tree"].is_object());
        assert!(data["tool_calls"].is_array());
        assert_eq!(data["reply"], Value::Null);
    }

    async fn until(&mut self, socket: &mut Socket, id: u64, fits: impl Fn(&Self) -> bool) {
        while !fits(self) {
            let data = socket.until(id, |_| true).await;
            self.take(&data);
        }
    }
}

async fn subscribe(dashboard: &Dashboard, task: &str, seen: &Seen) -> Socket {
    let mut socket = dashboard.socket().await;
    let params = json!({
        "task_id": task,
        "after_seq": seen.seqs.last().copied().unwrap_or(0),
        "after_message": seen.messages.last().map_or(-1, |index| i64::try_from(*index).unwrap()),
    });
    socket.subscribe(9, "task", params).await;
    socket
}

fn counted(from: u64, seen: &[u64]) -> bool {
    seen.iter().copied().eq((from..).take(seen.len()))
}

#[tokio::test]
async fn every_event_and_message_comes_once_over_reconnects() {
    let dashboard = dashboard().await;
    let task = dashboard.submit("writer", "o").await;
    let mut seen = Seen::default();
    let mut socket = subscribe(&dashboard, &task, &seen).await;
    seen.until(&mut socket, 9, |seen| seen.seqs == [1]).await;
    assert_eq!((seen.messages.as_slice(), seen.trees), (&[0][..], 1));
    let mut claimed = dashboard.claim("writer", 1).await.remove(0);
    for turn in 1..=6 {
        dashboard.turn(&mut claimed, turn).await;
        if turn % 2 == 0 {
            drop(socket);
            socket = subscribe(&dashboard, &task, &seen).await;
        }
    }
    dashboard.finish(&claimed, true).await;
    seen.until(&mut socket, 9, |seen| {
        seen.status == "completed" && seen.seqs.len() >= 9
    })
    .await;
    let last = dashboard.ask(&format!("/tasks/{task}/events")).await["last_seq"]
        .as_u64()
        .unwrap();
    seen.until(&mut socket, 9, |seen| seen.seqs.last() == Some(&last))
        .await;
    assert!(counted(1, &seen.seqs), "{:?}", seen.seqs);
    assert!(counted(0, &seen.messages), "{:?}", seen.messages);
    assert_eq!(seen.messages.len(), 7);
}

#[tokio::test]
async fn a_busy_task_is_told_of_four_times_a_second() {
    let dashboard = dashboard().await;
    let task = dashboard.submit("writer", "o").await;
    let mut claimed = dashboard.claim("writer", 1).await.remove(0);
    let mut socket = subscribe(&dashboard, &task, &Seen::default()).await;
    for turn in 1..=100 {
        dashboard.turn(&mut claimed, turn).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut seen = Seen::default();
    let mut frames = 0;
    while seen.messages.len() < 101 {
        seen.take(&socket.until(9, |_| true).await);
        frames += 1;
    }
    assert!(frames <= 14, "{frames} frames of 100 turns");
    assert!(counted(0, &seen.messages) && counted(1, &seen.seqs));
}

#[tokio::test]
async fn a_long_log_comes_in_parts() {
    let dashboard = dashboard().await;
    let task = dashboard.submit("writer", "o").await;
    let mut claimed = dashboard.claim("writer", 1).await.remove(0);
    for turn in 1..=450 {
        dashboard.turn(&mut claimed, turn).await;
    }
    let mut seen = Seen::default();
    let mut socket = subscribe(&dashboard, &task, &seen).await;
    seen.until(&mut socket, 9, |seen| {
        seen.messages.len() == 451 && seen.seqs.len() >= 452
    })
    .await;
    assert!(counted(0, &seen.messages) && counted(1, &seen.seqs));
}
