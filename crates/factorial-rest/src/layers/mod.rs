//! What happens around every request.

mod bound;
mod observe;
mod panic;
mod trace;

pub(crate) use bound::{Slot, WaitGuard, bound};
pub(crate) use observe::observe;
pub(crate) use panic::catch_panic;
