//! Tests of the whole, one binary.

mod docs;
mod faults;
mod waits;
