//! `cargo xtask performance`: measures everything with release binaries, and writes the figures into the document.
//!
//! The text of the document is written by hand; what stands between the marks of a measurement is written here.

mod machine;
mod measurement;
mod page;
mod table;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use self::measurement::{MEASUREMENTS, measure};
use crate::command::root;
use crate::redis;

/// Below the root of the workspace.
const DOCUMENT: &str = "docs/performance.md";

/// Measures what is named, or everything, and replaces its figures.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (options, names): (Vec<&String>, Vec<&String>) = arguments
        .iter()
        .partition(|argument| argument.starts_with('-'));
    let quick = options.iter().any(|option| *option == "--quick");
    if let Some(unknown) = options.iter().find(|option| **option != "--quick") {
        bail!("unknown option {unknown}");
    }
    let known = || MEASUREMENTS.map(|m| m.name).join(", ");
    let unknown = names
        .iter()
        .find(|name| !MEASUREMENTS.iter().any(|m| m.name == name.as_str()));
    if let Some(unknown) = unknown {
        bail!("nothing measures {unknown}; there is: {}", known());
    }
    redis::ensure()?;
    let path = root().join(DOCUMENT);
    let mut document =
        fs::read_to_string(&path).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let mut server = None;
    for measurement in MEASUREMENTS {
        if !names.is_empty() && !names.iter().any(|name| *name == measurement.name) {
            continue;
        }
        let report = measure(measurement, quick)?;
        let table = table::of(&report)?;
        println!("{}\n\n{table}", measurement.name);
        server = report["server"].as_str().map(str::to_owned).or(server);
        document = page::replace(&document, measurement.name, &table)?;
        if !quick {
            // After each, so that a failure of the next does not cost an hour.
            let machine = machine::describe(server.as_deref().unwrap_or("unknown"))?;
            let document = page::replace(&document, "machine", &machine)?;
            fs::write(&path, document).with_context(|| format!("cannot write {DOCUMENT}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
