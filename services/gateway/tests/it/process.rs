//! The real program: what it refuses to start on, and how it ends.

use std::{process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::support::{PATIENCE, redis};

fn program(redis_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_factorial-gateway"));
    command
        .args([
            "--gateway-port",
            "0",
            "--admin-port",
            "0",
            "--log-format",
            "json",
        ])
        .env_clear()
        .env("FACTORIAL_AUTH_ENABLED", "false")
        .env("REDIS_URL", redis_url)
        .current_dir(std::env::temp_dir())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn refusal(mut command: Command) -> String {
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

/// The address in the next log line with this message.
async fn address(lines: &mut Lines<BufReader<ChildStderr>>, message: &str) -> String {
    loop {
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == message {
            return line["address"].as_str().unwrap().to_owned();
        }
    }
}

pub(crate) async fn started(redis_url: &str) -> (Child, String, String) {
    let mut child = program(redis_url).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let admin = address(&mut lines, "admin port listens").await;
    let gateway = address(&mut lines, "gateway listens").await;
    // The pipe must not fill up.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (
        child,
        format!("http://{gateway}"),
        format!("http://{admin}"),
    )
}

#[tokio::test]
async fn refuses_to_start_where_it_cannot_work() {
    let text = refusal(program("redis://127.0.0.1:1")).await;
    assert!(
        text.contains("factorial-gateway: cannot use Redis"),
        "{text}"
    );
    let redis = redis().await;
    let mut command = program(&redis.url());
    command.args(["--partitions", "0"]);
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(64));

    let (mut child, ..) = started(&redis.url()).await;
    let mut other = program(&redis.url());
    other.args(["--partitions", "4"]);
    let text = refusal(other).await;
    assert!(
        text.contains("has 1 partition(s)") && text.contains("configured for 4"),
        "{text}"
    );
    child.kill().await.unwrap();
}

#[tokio::test]
async fn sigterm_drains() {
    let redis = redis().await;
    let (mut child, gateway, admin) = started(&redis.url()).await;
    let status = async |url: String| reqwest::get(url).await.unwrap().status().as_u16();
    assert_eq!(status(format!("{gateway}/")).await, 200);
    assert_eq!(status(format!("{admin}/livez")).await, 200);
    assert_eq!(status(format!("{admin}/readyz")).await, 200);
    let metrics = reqwest::get(format!("{admin}/metrics"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let counted = r#"factorial_http_requests_total{method="GET",route="/",status="200"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");

    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let ended = timeout(Duration::from_secs(5), child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.code(), Some(0));
}
