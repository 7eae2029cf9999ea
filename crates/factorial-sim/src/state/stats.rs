//! Counters of the server.
//!
//! Written by each request's `Flight`, read by tests and `GET /admin/stats`. Invariant: `total` is `current` plus the sum
//! of `by_status` plus those that ended without a status, all of which are `closed_early` or `broken`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A snapshot of the counters of `POST /v1/chat/completions`, since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Requests being answered now.
    pub current: u64,
    /// Most requests being answered at once.
    pub peak: u64,
    /// Requests that arrived.
    pub total: u64,
    /// Finished responses by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests whose client closed the connection before the end.
    pub closed_early: u64,
    /// Connections that the server broke on request.
    pub broken: u64,
    /// Prompt tokens of the replies that were sent whole.
    pub prompt_tokens: u64,
    /// Completion tokens of the replies that were sent whole.
    pub completion_tokens: u64,
}
