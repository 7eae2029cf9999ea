//! What the commands print: tables and text for people, JSON for programs.
//!
//! Invariant: colours only on a terminal, and text that came from elsewhere never controls the terminal.

mod age;
mod agent;
mod batch;
mod call;
mod event;
mod key;
mod message;
mod paint;
mod print;
mod problem;
mod table;
mod task;
mod tree;
mod webhook;
mod worker;

pub(crate) use age::duration;
pub(crate) use agent::{agent_details, agent_table};
pub(crate) use batch::{batch_details, batch_status_tint, batch_table};
pub(crate) use call::{asked_details, asked_table, awaited_table, indented, one_line};
pub(crate) use event::{event_line, failure_text, feed_line, millis_of, text_of};
pub(crate) use key::{audit_table, created_key, key_table};
pub(crate) use message::conversation;
pub(crate) use paint::{Paint, Tint, clean, clean_line, cut};
pub(crate) use print::{Format, Printer};
pub(crate) use problem::problem_text;
pub(crate) use table::Table;
pub(crate) use task::{
    cost_text, plural, result_text, status_tint, task_details, task_table, usage_text,
};
pub(crate) use tree::tree_text;
pub(crate) use webhook::{delivery_table, webhook_table};
pub(crate) use worker::worker_table;
