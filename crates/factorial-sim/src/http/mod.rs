//! The HTTP surface: completions, models and the admin calls.

mod admin;
mod body;
mod chat;
mod routes;

pub(crate) use routes::router;
