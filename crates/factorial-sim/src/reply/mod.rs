//! What the model says: a pure function of the request, and of the fault if one bends it.

mod answer;
mod compose;
mod decide;
mod directives;
mod usage;
mod view;

pub(crate) use compose::{INVALID_MARK, compose};
pub(crate) use decide::decide;
pub(crate) use view::View;
