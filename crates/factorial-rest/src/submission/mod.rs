//! From a submission on the wire to a task for the store.

mod bounds;
mod check;
mod fingerprint;
mod tools;

pub(crate) use bounds::{most_text, role};
pub(crate) use check::{Submission, check};
pub(crate) use fingerprint::{KEEP_KEYS, fingerprint};
pub(crate) use tools::check_against_agent;
