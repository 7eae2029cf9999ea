//! Tests of the whole, one binary.

mod docs;
mod faults;
mod mcp;
mod scale;
mod telemetry;
mod waits;
