//! `factorial bench --agent`: a deployment that is there, over REST alone; never for its speed.

use serde_json::Value;

use super::support::{Dev, directory};

/// Measures the assistant of a `factorial dev`, and gives the report.
fn measured(dev: &Dev, scenario: &str, more: &[&str]) -> Value {
    let args = ["bench", scenario, "--agent", "assistant", "-o", "json"];
    let once = ["--repeats", "1", "--warm-up", "0"];
    let said = dev.ask(&[&args[..], &once, more].concat());
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// The median of a figure.
fn figure(report: &Value, name: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.and_then(|f| f["median"].as_f64()).unwrap_or(f64::NAN)
}

#[test]
fn a_deployment_is_measured_by_its_own_tasks() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let quick = ["--query", "[[sim:reply=ok]]"];
    let ten = [&quick[..], &["--tasks", "10"]].concat();
    // Long enough to be caught running.
    let slow = [
        "--query",
        "[[sim:reply=ok]][[sim:latency_ms=400]]",
        "--tasks",
        "4",
    ];

    for (scenario, name) in [
        ("enqueue", "REST"),
        ("drain", "drain"),
        ("dispatch", "submit call p99"),
    ] {
        let report = measured(&dev, scenario, &ten);
        assert_eq!(report["tasks_checked"], 10, "{report}");
        assert_eq!(figure(&report, "ended as completed"), 10.0, "{report}");
        assert!(figure(&report, name) > 0.0, "{name} in {report}");
        assert!(
            report["server"]
                .as_str()
                .unwrap()
                .starts_with("factorial-gateway "),
            "{report}"
        );
        // Nothing is known of its Redis.
        assert!(figure(&report, "redis cpu").is_nan(), "{report}");
    }
    let report = measured(&dev, "cancel", &slow);
    assert!(
        figure(&report, "cancel to event seen p50") > 0.0,
        "{report}"
    );
    let report = measured(&dev, "steer", &slow);
    assert_eq!(figure(&report, "ended as completed"), 4.0, "{report}");
    assert!(figure(&report, "steer to event seen p50") > 0.0, "{report}");
    let report = measured(
        &dev,
        "stream",
        &[&slow[..], &["--concurrency", "8"]].concat(),
    );
    assert_eq!(figure(&report, "readers"), 8.0, "{report}");
    let soak = [&quick[..], &["--seconds", "2", "--concurrency", "4"]].concat();
    let report = measured(&dev, "soak", &soak);
    assert!(figure(&report, "ended") > 0.0, "{report}");
}

#[test]
fn its_redis_tells_what_the_tasks_cost_there() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let redis = dev.addresses["redis"].as_str().unwrap();
    let args = [
        "--redis-url",
        redis,
        "--tasks",
        "5",
        "--query",
        "[[sim:reply=ok]]",
    ];
    let report = measured(&dev, "drain", &args);
    assert!(figure(&report, "redis commands") > 5.0, "{report}");

    let said = dev.ask(&["bench", "drain", "--agent", "nobody"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.err.contains("cannot measure the deployment"),
        "{said:?}"
    );
}
