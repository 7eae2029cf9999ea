//! The `factorial-sim` command as a process.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{ask, text};

#[tokio::test]
async fn the_command_says_where_it_listens_and_serves() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_factorial-sim"))
        .args(["--listen", "127.0.0.1:0", "--models", "a,b"])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = timeout(Duration::from_secs(10), lines.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let (_, base_url) = line.split_once("base_url=").unwrap();

    let http = reqwest::Client::new();
    let mut body = ask("hello");
    let url = format!("{base_url}/chat/completions");
    let refused = http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    body["model"] = "b".into();
    let reply: Value = http
        .post(&url)
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(text(&reply).contains("hello"));

    process.start_kill().unwrap();
    timeout(Duration::from_secs(10), process.wait())
        .await
        .unwrap()
        .unwrap();
}
