//! The dashboard.
//!
//! Started by `factorial-dashboard`, by `factorial dev` and by tests through [`run`]. This version answers health
//! questions and one page that says that the dashboard itself is still to come; it changes nothing anywhere.

mod health;
mod options;
mod page;
mod service;

pub use options::DashboardOptions;
pub use service::run;
