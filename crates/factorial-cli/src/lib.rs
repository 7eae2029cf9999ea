//! The `factorial` command: `dev` runs all roles in one process, the others talk to a gateway.
//!
//! Called by the name of a service, it is that service.
//! It holds no logic of its own: it composes the services, the client and the simulated model.

mod app;
mod args;
mod asked;
mod batch;
mod bench;
mod commands;
mod config;
mod describe;
mod dev;
mod error;
mod exit;
mod gateway;
mod output;
mod run;
mod services;

pub use app::main;
