//! What happens around every request, on top of what `factorial-rest` does.

mod origin;
mod secure;

pub(crate) use origin::{Origin, guard_origin};
pub(crate) use secure::secure;
