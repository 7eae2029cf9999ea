//! Development tasks, run as `cargo xtask <task>`; few dependencies, so that it builds in seconds.

mod apt;
mod command;
mod deployment;
mod dev;
mod fuzz;
mod lint;
mod matrix;
mod node;
mod openapi;
mod page;
mod performance;
mod python;
mod redis;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
Development tasks

Usage: cargo xtask <task> [arguments]

Tasks:
  dev [arguments]   build `factorial` and run `factorial dev` with these arguments
  test [arguments]  install what the tests need, build the binaries, run all tests,
                    with Node also those of the page, in a browser, with Python those of the
                    deployment files, with both those of the OpenAPI documents;
                    arguments go to cargo nextest (or cargo test), and leave these out
  matrix [server]... [-- arguments]
                    run the tests of core and of whole systems on each of these Redis or Valkey
                    servers; default: those on PATH, and others that are packaged on PyPI
  deployment        test the deployment files only: image, Compose, chart, rules, dashboards
  containers [--keep] [--no-build]
                    build the image and bring Compose up; run tasks while each container is
                    killed and the image is changed; needs docker or podman with Compose
  lint              rustfmt, clippy, rustdoc, and cargo-deny where it is installed
  page              build the dashboard's page, which the dashboard embeds; needs Node
  schemathesis SECONDS
                    ask a running system what its OpenAPI document allows and forbids, for so
                    long (the tests do so for a minute); needs Python
  fuzz [SECONDS]    hand every parser of outside input what nobody should send, each for so long
                    (600; the tests do so for some hundred cases)
  performance [--quick] [measurement]...
                    measure with release binaries and write the tables of docs/performance.md;
                    --quick measures little and only prints them
  help              print this
";

fn main() -> ExitCode {
    // Printed here rather than by the runtime, which would add a backtrace.
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    match task.as_deref() {
        Some("dev") => dev::run(&rest),
        Some("test") => test::run(&rest),
        Some("deployment") if rest.is_empty() => deployment::run(),
        Some("containers") => deployment::containers(&rest),
        Some("lint") if rest.is_empty() => lint::run(),
        Some("page") if rest.is_empty() => page::run(),
        Some("schemathesis") if rest.len() == 1 => openapi::schemathesis(&rest[0]),
        Some("fuzz") if rest.len() <= 1 => fuzz::run(&rest),
        Some("performance") => performance::run(&rest),
        Some("matrix") => matrix::run(&rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}
