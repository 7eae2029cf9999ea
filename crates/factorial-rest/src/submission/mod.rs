//! From a submission on the wire to a task for the store.

mod bounds;
mod check;
mod context;
mod fingerprint;
mod tools;
mod webhook;

pub(crate) use bounds::{most_text, role};
pub(crate) use check::{Submission, check};
pub(crate) use context::ContextSchema;
pub(crate) use fingerprint::{KEEP_KEYS, fingerprint};
pub(crate) use webhook::{
    check_batch_webhook, check_owner_webhook, check_url as check_webhook_url,
};
