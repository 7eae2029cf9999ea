//! A span that has ended.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value},
    trace::v1::{self as proto, span::Link, span::SpanKind, status::StatusCode},
};

use super::{SpanId, TraceContext, semconv};

/// Bytes of a text attribute; content is cut off there.
const MOST_BYTES: usize = 16 << 10;

/// What a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something in the process.
    Internal,
    /// A request that was answered.
    Server,
    /// A request that was made.
    Client,
    /// Work that was handed over.
    Producer,
    /// Work that was taken on.
    Consumer,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub struct Span(pub(super) proto::Span);

impl Span {
    /// A span below the one of `parent`, or the first of its trace. Times are ns since the Unix epoch.
    #[must_use]
    pub fn new(trace: TraceContext, id: SpanId, root: bool, name: String, kind: Kind) -> Self {
        let kind = match kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        };
        Self(proto::Span {
            trace_id: trace.trace_id.to_vec(),
            span_id: id.0.to_vec(),
            parent_span_id: if root {
                Vec::new()
            } else {
                trace.span().0.to_vec()
            },
            name,
            kind: kind.into(),
            ..proto::Span::default()
        })
    }

    /// When it began and ended, ns since the Unix epoch.
    #[must_use]
    pub fn during(mut self, from: u64, to: u64) -> Self {
        (self.0.start_time_unix_nano, self.0.end_time_unix_nano) = (from, to.max(from));
        self
    }

    fn set(mut self, key: &'static str, value: Value) -> Self {
        self.0.attributes.push(attribute(key, value));
        self
    }

    /// A text.
    #[must_use]
    pub fn text(self, key: &'static str, text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        self.set(key, Value::StringValue(text))
    }

    /// A whole number.
    #[must_use]
    pub fn number(self, key: &'static str, number: u64) -> Self {
        self.set(
            key,
            Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX)),
        )
    }

    /// A number with a fraction.
    #[must_use]
    pub fn fraction(self, key: &'static str, number: f64) -> Self {
        self.set(key, Value::DoubleValue(number))
    }

    /// A list of one text.
    #[must_use]
    pub fn one_of_list(self, key: &'static str, text: impl Into<String>) -> Self {
        let value = Some(Value::StringValue(text.into()));
        let values = vec![AnyValue { value }];
        self.set(key, Value::ArrayValue(ArrayValue { values }))
    }

    /// It failed, with an error of this kind.
    #[must_use]
    pub fn failed(mut self, kind: impl Into<String>) -> Self {
        self.0.status = Some(proto::Status {
            code: StatusCode::Error.into(),
            message: String::new(),
        });
        self.text(semconv::ERROR_TYPE, kind)
    }

    /// Another span of the trace that it has to do with.
    #[must_use]
    pub fn linked(mut self, to: SpanId) -> Self {
        self.0.links.push(Link {
            trace_id: self.0.trace_id.clone(),
            span_id: to.0.to_vec(),
            ..Link::default()
        });
        self
    }
}

pub(super) fn attribute(key: &'static str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
