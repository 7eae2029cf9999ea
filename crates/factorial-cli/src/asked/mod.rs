//! `factorial approvals`, `factorial tool-calls` and what answers calls: decisions and results of people.

mod age;
mod answer;
mod decide;
mod given;
mod list;
mod open;
mod review;

pub(crate) use age::seconds as seconds_of_age;
pub(crate) use answer::{AnswerArgs, answer};
pub(crate) use decide::{ApproveArgs, DenyArgs, approve, deny};
pub(crate) use list::{AskedArgs, list_approvals, list_tool_calls};
pub(crate) use review::{ReviewArgs, review};
