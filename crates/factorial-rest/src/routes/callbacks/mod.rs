//! Callbacks: the answer to one call, by whoever holds its token.

pub(crate) mod answer;
pub(crate) mod progress;
