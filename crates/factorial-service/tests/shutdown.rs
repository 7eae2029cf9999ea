//! Real signals to this process.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::time::Duration;

use factorial_service::Shutdown;

const LIMIT: Duration = Duration::from_secs(10);

fn send(signal: &str) {
    let pid = std::process::id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn first_signal_drains_second_stops() {
    let shutdown = Shutdown::from_signals().unwrap();
    send("-TERM");
    tokio::time::timeout(LIMIT, shutdown.drain.cancelled())
        .await
        .unwrap();
    assert!(!shutdown.now.is_cancelled());
    send("-INT");
    tokio::time::timeout(LIMIT, shutdown.now.cancelled())
        .await
        .unwrap();
}

#[test]
fn stopping_now_drains_as_well() {
    let shutdown = Shutdown::new();
    let same = shutdown.clone();
    same.stop_now();
    assert!(shutdown.drain.is_cancelled() && shutdown.now.is_cancelled());
}
