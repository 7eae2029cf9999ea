//! What is measured as clients see it, over REST and event streams, whoever runs the services.
//!
//! Used by scenarios of an own gateway and by those of a deployment that is there. Invariant: delivery is checked by
//! what the gateway says of each task, never by what was sent.

mod check;
mod door;
mod follow;
mod mix;
mod soak;
mod stream;

pub(crate) use check::{Ended, ends};
pub(crate) use door::Door;
pub(crate) use follow::follow;
pub(crate) use mix::Mix;
pub(crate) use soak::{Tally, soak};
pub(crate) use stream::stream;
