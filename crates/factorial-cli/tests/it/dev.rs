//! `factorial dev`: its start, its end, and what it leaves.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use factorial_local_redis::{LocalRedis, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::support::{Dev, Process, directory, factorial};

#[test]
fn the_banner_is_true_and_its_lines_work_as_pasted() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let gateway = dev.gateway().to_owned();
    let posted = |banner: &str| -> Value {
        let (_, body) = banner.split_once("-d '").unwrap();
        serde_json::from_str(body.split_once("'\n").unwrap().0).unwrap()
    };
    let ignored = fs::read_to_string(dir.path().join(".factorial/.gitignore")).unwrap();
    assert_eq!(ignored, "*\n");

    // The lines are on standard output already; they are tried while everything runs.
    let said = {
        let run = format!(
            "{} run assistant \"What time is it?\" --url {gateway}",
            env!("CARGO_BIN_EXE_factorial")
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &run])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        (Process::start(&mut shell).end(), run)
    };
    assert_eq!(said.0.code, 0, "{:?}", said.0);
    assert!(said.0.out.contains("current_time returned"), "{:?}", said.0);

    let banner = dev.stop();
    assert_eq!(banner.code, 0, "{banner:?}");
    assert!(banner.out.contains(&said.1), "{}", banner.out);
    assert!(
        banner.out.contains(&format!("curl -s {gateway}/v1/tasks")),
        "{}",
        banner.out
    );
    assert!(
        banner.out.contains("simulated (chosen with --model)"),
        "{}",
        banner.out
    );
    assert!(
        banner.out.contains("private redis-server"),
        "{}",
        banner.out
    );
    assert_eq!(posted(&banner.out)["agent"], "assistant");
    let ends = ["worker", "reaper", "gateway", "dashboard", "Redis"];
    let places = ends.map(|role| banner.err.find(&format!("  {role} stopped")).unwrap());
    assert!(places.is_sorted(), "{}", banner.err);
    assert!(!dir.path().join(".factorial/dev.json").exists());
}

#[test]
fn the_body_of_the_curl_line_is_accepted() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let body = r#"{"agent":"assistant","owner_id":"me","query":"What time is it?"}"#;
    let url = format!("{}/v1/tasks", dev.gateway());
    let task: Value = runtime.block_on(async {
        let request = reqwest::Client::new()
            .post(url)
            .header("content-type", "application/json");
        request
            .body(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    });
    let result = dev.ask(&[
        "tasks",
        "result",
        task["id"].as_str().unwrap(),
        "--wait",
        "30",
    ]);
    assert_eq!(result.code, 0, "{result:?}");
    let banner = dev.stop();
    assert!(banner.out.contains(body), "{}", banner.out);
}

#[test]
fn a_second_start_finds_the_tasks_of_the_first() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let done = dev.submit("[[sim:reply=kept]]");
    dev.await_status(&done, "completed");
    let later = dev.ask(&["run", "assistant", "x", "--delay", "3600", "--detach"]);
    assert_eq!(dev.stop().code, 0);

    let dev = Dev::start(dir.path(), "server");
    assert_eq!(dev.ask(&["tasks", "result", &done]).out, "kept\n");
    dev.await_status(later.out.trim(), "scheduled");
    let banner = dev.stop();
    assert!(
        banner.out.contains("1 completed, 1 scheduled from before"),
        "{}",
        banner.out
    );
}

#[test]
fn a_second_one_in_the_same_directory_is_refused() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let second = Process::start(&mut Dev::command(dir.path(), "server")).end();
    assert_eq!(second.code, 1);
    assert!(second.err.contains("another `factorial dev`"), "{second:?}");
    assert!(
        second.err.contains(&dev.addresses["pid"].to_string()),
        "{second:?}"
    );
    assert!(second.out.is_empty(), "{second:?}");
    assert_eq!(dev.ask(&["workers"]).code, 0);
}

#[test]
fn a_taken_port_is_named_with_its_flag() {
    let dir = directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = factorial(dir.path());
    command.args(["dev", "--gateway-port", &port, "--admin-port", "0"]);
    let said = Process::start(&mut command).end();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&format!("port {port}")), "{said:?}");
    assert!(said.err.contains("--gateway-port"), "{said:?}");
}

#[test]
fn wrong_agents_and_settings_are_refused_at_once() {
    let dir = directory();
    fs::create_dir(dir.path().join("agents")).unwrap();
    fs::write(dir.path().join("agents/a.yaml"), "name: a\nmodle: {}\n").unwrap();
    let said = Process::start(&mut Dev::command(dir.path(), "server")).end();
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("agents/a.yaml:2"), "{said:?}");

    let mut command = Dev::command(dir.path(), "server");
    let said = Process::start(command.args(["--batch-size", "0", "--log-level", "loud"])).end();
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("2 problems"), "{said:?}");
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let dir = directory();
    let mut dev = Dev::start(dir.path(), "server");
    let id = dev.submit("[[sim:noop]] [[sim:latency_ms=600000]]");
    dev.await_status(&id, "processing");
    dev.process.signal(Signal::INT);
    dev.process.read_err_until("Ctrl-C again");
    dev.process.signal(Signal::INT);
    assert_eq!(dev.process.end().code, 0);

    // No attempt was burned, and the task is still to be done.
    let dev = Dev::start(dir.path(), "server");
    let task = dev.ask(&["tasks", "get", &id, "-o", "json"]).json();
    assert_eq!(task["hand_backs"], 1, "{task}");
    assert_eq!(task["retries"], 0, "{task}");
}

#[test]
fn it_ends_when_its_redis_does() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let pid = dev.addresses["redis_pid"].as_i64().unwrap();
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let said = dev.process.end();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("Redis ended by itself"), "{said:?}");
}

#[test]
fn a_redis_that_is_configured_is_used_and_left_alone() {
    let dir = directory();
    let mut redis = LocalRedis::start(Options::default()).unwrap();
    let mut command = Dev::command(dir.path(), "auto");
    let dev = Dev::start_with(dir.path(), command.env("REDIS_URL", redis.url()));
    assert!(dev.addresses["redis"].is_null());
    assert_eq!(dev.ask(&["run", "assistant", "[[sim:reply=x]]"]).out, "x\n");
    let banner = dev.stop();
    assert!(banner.out.contains("the configured one"), "{}", banner.out);
    assert!(!banner.err.contains("Redis stopped"), "{}", banner.err);
    assert!(redis.is_running());
    assert!(!dir.path().join(".factorial/redis").exists());

    let mut command = Dev::command(dir.path(), "auto");
    let said = Process::start(command.env("REDIS_URL", "redis://127.0.0.1:1")).end();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("redis_url"), "{said:?}");
}
