//! The simulated server through a real client over real HTTP.

#![expect(clippy::unwrap_used, reason = "tests")]

mod admin;
mod binary;
mod faults;
mod replies;
mod requests;
mod streams;
mod support;
mod transport;
