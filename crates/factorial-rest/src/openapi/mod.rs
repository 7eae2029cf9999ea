//! The OpenAPI documents. Used by the services that serve them, and by the command line.

mod document;
mod forms;
mod links;
mod problems;
mod unused;

pub use document::{document, operators_document};
