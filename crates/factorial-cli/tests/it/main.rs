//! The `factorial` command as people use it: real processes, real Redis, the simulated model.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

mod batch;
mod bench;
mod bench_remote;
mod commands;
mod dev;
mod embedded;
mod interrupt;
mod keys;
mod ollama;
mod run;
mod secrets;
mod services;
mod terminal;
mod waiting;
