//! `factorial bench`: every scenario, tiny, for its delivery check and the form of its report; never for its speed.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{eventually, factorial};

/// Runs a measurement of its own Redis that has to succeed, and gives its report.
fn measured(args: &[&str]) -> Value {
    let dir = tempdir().unwrap();
    let mut command: Command = factorial(dir.path());
    command.args(["bench", args[0], "--self", "--output", "json"]);
    let done = command.args(&args[1..]).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{err}");
    assert!(err.is_empty(), "{err}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Checks what all reports have in common, and that there are figures of these names.
fn expect(report: &Value, repeats: usize, names: &[&str]) {
    assert!(report["server"].as_str().unwrap().contains(' '), "{report}");
    assert_eq!(report["repeats"], repeats);
    let figures = report["figures"].as_array().unwrap();
    for figure in figures {
        let values: Vec<f64> = figure["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert_eq!(values.len(), repeats, "{figure}");
        let between = figure["min"].as_f64() <= figure["median"].as_f64()
            && figure["median"].as_f64() <= figure["max"].as_f64();
        assert!(between, "{figure}");
        assert!(figure["unit"].is_string(), "{figure}");
    }
    for name in names {
        let found = figures.iter().find(|figure| figure["name"] == *name);
        let median = found.map(|figure| figure["median"].as_f64().unwrap());
        assert!(median > Some(0.0), "{name} in {report}");
    }
}

#[test]
fn enqueue_is_measured_through_store_and_rest_beside_its_ceilings() {
    let report = measured(&["enqueue", "--tasks", "100", "--repeats", "2", "--ceiling"]);
    expect(
        &report,
        2,
        &[
            "store",
            "bulk",
            "bulk / store",
            "bulk: redis cpu",
            "REST",
            "REST call p99",
            "redis cpu",
            "redis commands",
        ],
    );
    assert_eq!(report["tasks_checked"], 600);
    let ceilings = report["ceilings"].as_array().unwrap();
    assert_eq!(ceilings.len(), 4, "{report}");
    let share = &report["figures"][0]["share"];
    assert!(share.as_f64().unwrap() > 0.0, "{report}");
    let aim = &report["figures"][0]["aim"];
    assert_eq!(aim["aim"]["share_at_least"], 0.85, "{report}");
}

#[test]
fn drain_is_measured() {
    let report = measured(&[
        "drain",
        "--tasks",
        "100",
        "--repeats",
        "1",
        "--warm-up",
        "0",
        "--partitions",
        "4",
    ]);
    assert_eq!(report["partitions"], 4);
    let names = [
        "drain",
        "redis commands",
        "written to file",
        "redis memory",
        "redis rss",
    ];
    expect(&report, 1, &names);
    assert_eq!(report["tasks_checked"], 100);
    assert_eq!(report["ceilings"].as_array().unwrap().len(), 0);
    assert!(report["figures"][0].get("share").is_none(), "{report}");
}

#[test]
fn dispatch_is_measured_to_the_agent_and_to_the_model() {
    let report = measured(&["dispatch", "--tasks", "20", "--repeats", "1"]);
    expect(&report, 1, &["enqueue to agent p50", "REST to model p99"]);
    assert_eq!(report["tasks_checked"], 40);
}

#[test]
fn turns_are_measured() {
    let args = [
        "turns",
        "--tasks",
        "2",
        "--turns",
        "5",
        "--repeats",
        "1",
        "--warm-up",
        "0",
    ];
    let report = measured(&args);
    expect(
        &report,
        1,
        &[
            "turn p50",
            "redis scripts",
            "conversation",
            "written / conversation",
        ],
    );
    assert_eq!(report["tasks_checked"], 4);
}

#[test]
fn calls_in_flight_are_measured() {
    let args = [
        "inflight",
        "--tasks",
        "100",
        "--concurrency",
        "100",
        "--model-latency",
        "200",
    ];
    let report = measured(&[&args[..], &["--repeats", "1", "--warm-up", "0"]].concat());
    expect(
        &report,
        1,
        &["all calls", "all calls / ideal", "calls at once, peak"],
    );
    let figures = report["figures"].as_array().unwrap();
    assert_eq!(figures[1]["median"], 0.2, "{report}");
}

#[test]
fn cancellations_are_measured() {
    let report = measured(&["cancel", "--tasks", "20", "--repeats", "1"]);
    expect(
        &report,
        1,
        &["cancel call p50", "cancel to closed socket p99"],
    );
    assert_eq!(report["tasks_checked"], 20);
}

#[test]
fn interruptions_by_steering_are_measured() {
    let report = measured(&["steer", "--tasks", "20", "--repeats", "1"]);
    expect(&report, 1, &["steer call p50", "steer to next request p99"]);
    assert_eq!(report["tasks_checked"], 20);
}

#[test]
fn an_idle_worker_is_measured() {
    let report = measured(&["idle", "--seconds", "2"]);
    expect(&report, 1, &["redis commands", "worker rss, peak"]);
    assert_eq!(report["seconds"], 2.0);
    assert_eq!(report["tasks_checked"], 1);
}

#[test]
fn claims_are_measured_with_few_and_many_tasks_and_owners() {
    let report = measured(&["claim", "--tasks", "600", "--owners", "50"]);
    let names = [
        "60 queued, 1 owner: redis cpu",
        "60 queued, 50 owners: call p50",
        "600 queued, 1 owner: redis cpu",
        "600 queued, 50 owners: redis cpu / least",
    ];
    expect(&report, 1, &names);
    // 40 looks at 4 queues, a claim of 25 each.
    assert_eq!(report["tasks_checked"], 4_000);
}

#[test]
fn recoveries_are_measured() {
    let report = measured(&["recovery", "--tasks", "20", "--repeats", "1"]);
    expect(&report, 1, &["kill to running p50", "kill to running max"]);
    assert_eq!(report["tasks_checked"], 20);
}

#[test]
fn parked_tasks_are_measured() {
    let report = measured(&["parked", "--tasks", "40", "--repeats", "1"]);
    let names = [
        "answer to next request p50",
        "answers",
        "parked: redis memory",
    ];
    expect(&report, 1, &names);
    assert_eq!(report["tasks_checked"], 40);
}

#[test]
fn streams_are_measured() {
    let args = ["stream", "--tasks", "4", "--concurrency", "12"];
    let report = measured(&[&args[..], &["--repeats", "1", "--warm-up", "0"]].concat());
    expect(
        &report,
        1,
        &["readers", "events seen", "event to reader p99"],
    );
    assert_eq!(report["tasks_checked"], 4);
}

#[test]
fn a_soak_ends_with_everything_accounted_for() {
    let report = measured(&["soak", "--seconds", "4", "--concurrency", "8"]);
    let names = [
        "ended",
        "tasks, steered",
        "workers killed",
        "redis memory at 100 %",
    ];
    expect(&report, 1, &names);
    assert!(report["tasks_checked"].as_u64().unwrap() > 20, "{report}");
}

#[test]
fn an_interrupted_measurement_leaves_nothing_running() {
    let dir = tempdir().unwrap();
    let mut command = factorial(dir.path());
    let command = command.args(["bench", "drain", "--self", "--tasks", "10000000"]);
    let bench = command.spawn().unwrap();
    let pid = bench.id();
    let redis: u32 = eventually("a redis-server", || {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let of_threads = threads
            .flatten()
            .map(|thread| thread.path().join("children"));
        let lists = of_threads.filter_map(|path| fs::read_to_string(path).ok());
        let pids: Vec<String> = lists
            .flat_map(|list| {
                list.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        let is_redis = |pid: &&String| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|c| c.starts_with("redis"))
        };
        pids.iter().find(is_redis)?.parse().ok()
    });
    let bench_pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(bench_pid, Signal::INT).unwrap();
    let done = bench.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(130), "{err}");
    assert!(err.contains("interrupted"), "{err}");
    eventually("the end of redis-server", || {
        (!Path::new(&format!("/proc/{redis}")).exists()).then_some(())
    });
}

#[test]
fn what_cannot_be_measured_is_said() {
    let dir = tempdir().unwrap();
    let refused = |args: &[&str]| {
        let done = factorial(dir.path())
            .arg("bench")
            .args(args)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code().unwrap(), err)
    };
    let (code, err) = refused(&["dispatch", "--self", "--ceiling"]);
    assert!(
        code == 2 && err.contains("no ceiling for dispatch"),
        "{code} {err}"
    );
    let (code, err) = refused(&["drain", "--redis-url", "redis://127.0.0.1:1"]);
    assert!(
        code == 1 && err.contains("cannot use this Redis"),
        "{code} {err}"
    );
    let (code, err) = refused(&["drain"]);
    assert!(code == 2 && err.contains("--self"), "{code} {err}");
    let (code, err) = refused(&["recovery", "--agent", "assistant"]);
    assert!(
        code == 2 && err.contains("needs --self or --redis-url"),
        "{code} {err}"
    );
    let (code, err) = refused(&["drain", "--self", "--agent", "assistant"]);
    assert!(code == 2 && err.contains("cannot be used"), "{code} {err}");
    for place in [&["--self"][..], &["--redis-url", "redis://127.0.0.1:1"]] {
        let (code, err) = refused(&[&["drain", "--url", "http://a"], place].concat());
        assert!(code == 2 && err.contains("--url"), "{code} {err}");
    }
    let nowhere = ["--agent", "assistant", "--url", "http://127.0.0.1:1"];
    let (code, err) = refused(&[&["drain"], &nowhere[..]].concat());
    assert!(code != 0 && err.contains("127.0.0.1:1"), "{code} {err}");
}

#[test]
fn without_a_server_on_the_path_it_is_said_what_to_install() {
    let dir = tempdir().unwrap();
    let mut command = factorial(dir.path());
    let done = command
        .env("PATH", dir.path())
        .args(["bench", "drain", "--self"]);
    let done = done.output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(
        err.contains("no redis-server or valkey-server on PATH"),
        "{err}"
    );
}
