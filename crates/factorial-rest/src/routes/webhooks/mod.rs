pub(crate) mod add;
pub(crate) mod deliveries;
pub(crate) mod get;
pub(crate) mod list;
mod owned;
pub(crate) mod remove;
pub(crate) mod retry;
pub(crate) mod secret;

use owned::owned;
