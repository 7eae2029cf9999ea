//! Traces, as OpenTelemetry has them: contexts, spans, and their way to a collector.
//!
//! Spans are made by hand where something ends, from what is known then, so that nothing is spent on them while there is no
//! collector. Invariant: the id of a span that others may name before it has ended follows from what it is of, so that a
//! process that goes on after another one has died names the same one (docs/adr/0025-traces.md).

mod context;
mod export;
pub mod semconv;
mod span;

pub use context::{SpanId, TraceContext};
pub use export::{Exporter, TraceError, Tracer, start, tracer};
pub use span::{Kind, Span};
