//! The in-process engine: the same, without any Redis on the machine.

use super::support::{Dev, directory, factorial};

#[test]
fn a_task_runs_and_is_there_after_a_restart() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "embedded");
    let said = dev.ask(&["run", "assistant", "What time is it?"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("current_time returned"), "{said:?}");
    let id = dev.submit("[[sim:reply=kept]]");
    dev.await_status(&id, "completed");
    let banner = dev.stop();
    assert_eq!(banner.code, 0, "{banner:?}");
    assert!(
        banner
            .out
            .contains("in-process engine, for trying out only"),
        "{}",
        banner.out
    );

    let dev = Dev::start(dir.path(), "embedded");
    assert_eq!(dev.ask(&["tasks", "result", &id]).out, "kept\n");
    assert_eq!(
        dev.ask(&["run", "assistant", "[[sim:reply=again]]"]).out,
        "again\n"
    );
    assert_eq!(dev.stop().code, 0);
}

#[test]
fn cancel_and_steer_work_there_too() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "embedded");
    let id = dev.submit("[[sim:noop]] [[sim:latency_ms=600000]]");
    dev.await_status(&id, "processing");
    let said = dev.ask(&[
        "tasks",
        "steer",
        &id,
        "[[sim:latency_ms=0]] now",
        "--interrupt",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    dev.await_status(&id, "completed");
    let id = dev.submit("[[sim:noop]] [[sim:latency_ms=600000]]");
    dev.await_status(&id, "processing");
    assert_eq!(
        dev.ask(&["tasks", "cancel", &id]).out,
        format!("{id} cancelled\n")
    );
}

#[test]
fn it_is_what_there_is_on_a_machine_without_a_server() {
    let (dir, nothing) = (directory(), directory());
    let mut command = Dev::command(dir.path(), "auto");
    let dev = Dev::start_with(dir.path(), command.env("PATH", nothing.path()));
    assert!(dev.addresses["redis_pid"].is_null());
    assert_eq!(dev.ask(&["run", "assistant", "[[sim:reply=x]]"]).out, "x\n");
    let banner = dev.stop();
    assert!(banner.out.contains("in-process engine"), "{}", banner.out);
    let mut command = factorial(dir.path());
    let said = command.args([
        "dev",
        "--redis",
        "server",
        "--gateway-port",
        "0",
        "--admin-port",
        "0",
    ]);
    let said = said
        .args(["--observability-port", "0"])
        .env("PATH", nothing.path())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&said.stderr).contains("install"),
        "{said:?}"
    );
}
