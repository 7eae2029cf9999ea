//! What the commands print: tables and text for people, JSON for programs.
//!
//! Invariant: colours only on a terminal, and text that came from elsewhere never controls the terminal.

mod age;
mod agent;
mod event;
mod message;
mod paint;
mod print;
mod problem;
mod table;
mod task;
mod worker;

pub(crate) use age::duration;
pub(crate) use agent::{agent_details, agent_table};
pub(crate) use event::{event_line, failure_text, millis_of, text_of};
pub(crate) use message::conversation;
pub(crate) use paint::{Paint, Tint, clean, clean_line};
pub(crate) use print::{Format, Printer};
pub(crate) use problem::problem_text;
pub(crate) use task::{result_text, status_tint, task_details, task_table, usage_text};
pub(crate) use worker::worker_table;
