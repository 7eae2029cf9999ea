//! What is measured, and how the load generator is asked for it.

use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::command::cargo;

/// One table of the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement {
    /// As its marks in the document have it.
    pub(super) name: &'static str,
    /// What the load generator is told.
    arguments: &'static [&'static str],
    /// The same for a quick look.
    quick: &'static [&'static str],
}

const fn of(
    name: &'static str,
    arguments: &'static [&'static str],
    quick: &'static [&'static str],
) -> Measurement {
    Measurement {
        name,
        arguments,
        quick,
    }
}

/// In the order of the document.
pub(super) const MEASUREMENTS: [Measurement; 14] = [
    of("enqueue", &["enqueue", "--ceiling"], &["--tasks", "2000"]),
    of("drain", &["drain", "--ceiling"], &["--tasks", "2000"]),
    of(
        "drain-16-partitions",
        &["drain", "--ceiling", "--partitions", "16"],
        &["--tasks", "2000"],
    ),
    of("dispatch", &["dispatch"], &["--tasks", "50"]),
    of("idle", &["idle"], &["--seconds", "5"]),
    of("claim", &["claim"], &["--tasks", "20000"]),
    of("turns", &["turns"], &["--tasks", "2"]),
    of(
        "inflight",
        &["inflight"],
        &["--tasks", "500", "--concurrency", "500"],
    ),
    of("cancel", &["cancel"], &["--tasks", "50"]),
    of("steer", &["steer"], &["--tasks", "50"]),
    of("recovery", &["recovery"], &["--tasks", "50"]),
    of("parked", &["parked"], &["--tasks", "200"]),
    of(
        "stream",
        &["stream"],
        &["--tasks", "5", "--concurrency", "20"],
    ),
    of("soak", &["soak"], &["--seconds", "12"]),
];

/// Builds the load generator if it is not, and runs it on a server of its own. Progress and errors go where ours go.
pub(super) fn measure(measurement: Measurement, quick: bool) -> anyhow::Result<Value> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release"]);
    command.args([
        "--package",
        "factorial-cli",
        "--bin",
        "factorial",
        "--",
        "bench",
    ]);
    command.args(measurement.arguments);
    command.args(["--self", "--output", "json"]);
    if quick {
        command.args(measurement.quick).args(["--repeats", "1"]);
    }
    let name = measurement.name;
    eprintln!("measuring {name}");
    let done = command.stderr(Stdio::inherit()).output();
    let done = done.with_context(|| format!("cannot measure {name}"))?;
    if !done.status.success() {
        bail!("{name} was not measured ({})", done.status);
    }
    serde_json::from_slice(&done.stdout).with_context(|| format!("the report of {name}"))
}
