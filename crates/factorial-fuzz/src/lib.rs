//! Inputs for tests of parsers: what nobody should send.

mod change;
mod run;

pub use run::{bytes, texts};
