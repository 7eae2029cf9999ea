//! Batches: from the bytes of a submission to accepted members, and from ended members to lines of results.

mod fill;
mod intake;
mod lines;
mod member;
mod problems;
mod results;
mod settings;
mod spool;

pub(crate) use fill::{Filled, fill};
pub(crate) use intake::{Intake, Prepared};
pub(crate) use lines::Lines;
pub(crate) use results::{Wanted, results};
pub(crate) use settings::{Settings, from_body, from_query};
