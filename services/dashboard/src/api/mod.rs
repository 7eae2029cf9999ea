//! What only the dashboard answers.

pub(crate) mod config;
pub(crate) mod overview;
pub(crate) mod session;
pub(crate) mod system;
