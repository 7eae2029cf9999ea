//! The ceilings: what three minimal scripts do on the same server, with nothing around them.
//!
//! Invariant: they promise nothing (no events, no fairness, no fencing), so a share of 1 is not to be had for free.

mod loops;
mod measure;

pub(crate) use measure::{Ceiling, Limit, measure};
