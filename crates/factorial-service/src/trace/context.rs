//! W3C trace context.
//!
//! Invariant: what is kept is of version 00, whatever was sent; a malformed one is as good as none, since tracing must never
//! refuse work.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

/// Length of version 00 of a `traceparent`.
const LENGTH: usize = 55;
/// The flag that says that the trace is recorded.
const SAMPLED: u8 = 1;

/// Id of a span, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub(super) [u8; 8]);

impl SpanId {
    /// That of random bits.
    #[must_use]
    pub fn random(bits: u64) -> Self {
        Self(bits.max(1).to_be_bytes())
    }

    /// That of the span that these name: always the same.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for name in names {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        let hash = hash.finalize();
        let bits = hash
            .iter()
            .take(8)
            .fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
        Self::random(bits)
    }
}

/// The place of something in a trace: below which span it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace_id: [u8; 16],
    span: SpanId,
    flags: u8,
}

impl TraceContext {
    /// A new trace of random bits that begins with this span; `ratio` of them, 0 to 1, are recorded.
    #[must_use]
    pub fn begin(bits: u128, span: SpanId, ratio: f64) -> Self {
        // As the ratio sampler of OpenTelemetry: the last 56 bits of the id decide, as many of them as a float holds.
        let share = ((bits & ((1 << 56) - 1)) >> 3) as f64 / (1_u64 << 53) as f64;
        Self {
            trace_id: bits.max(1).to_be_bytes(),
            span,
            flags: if share < ratio { SAMPLED } else { 0 },
        }
    }

    /// The same trace, below another span.
    #[must_use]
    pub fn below(self, span: SpanId) -> Self {
        Self { span, ..self }
    }

    /// The span below which it is.
    #[must_use]
    pub fn span(self) -> SpanId {
        self.span
    }

    /// Spans of the trace are recorded.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The id of the trace in hexadecimal digits, as logs have it.
    #[must_use]
    pub fn trace_id(self) -> String {
        hex(&self.trace_id)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for TraceContext {
    /// As the header `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (hex(&self.trace_id), hex(&self.span.0));
        write!(f, "00-{trace}-{span}-{:02x}", self.flags)
    }
}

/// It is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NotTraceParent;

impl FromStr for TraceContext {
    type Err = NotTraceParent;

    /// Of a version after 00, the part that version 00 has.
    fn from_str(text: &str) -> Result<Self, NotTraceParent> {
        let (known, rest) = text.split_at_checked(LENGTH).ok_or(NotTraceParent)?;
        let mut parts = known.split('-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            part.bytes().all(lower).then_some(())?;
            u128::from_str_radix(part, 16).ok()
        };
        let mut number = |digits| next(digits).ok_or(NotTraceParent);
        let (version, trace, span, flags) = (number(2)?, number(32)?, number(16)?, number(2)?);
        let ends = rest.is_empty() || (version != 0 && rest.starts_with('-'));
        if version == 0xff || !ends || trace == 0 || span == 0 {
            return Err(NotTraceParent);
        }
        Ok(Self {
            trace_id: trace.to_be_bytes(),
            span: SpanId::random(u64::try_from(span).map_err(|_| NotTraceParent)?),
            flags: u8::try_from(flags).map_err(|_| NotTraceParent)?,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn understood(text: &str) -> Option<String> {
        text.parse().ok().map(|c: TraceContext| c.to_string())
    }

    #[test]
    fn only_the_published_form_is_understood() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let span = "b7ad6b7169203331";
        let good = format!("00-{trace}-{span}-01");
        assert_eq!(understood(&good), Some(good.clone()));
        assert_eq!(
            understood(&format!("cc-{trace}-{span}-01-what-comes")),
            Some(good.clone())
        );
        for bad in [
            String::new(),
            good.to_uppercase(),
            format!("{good}-x"),
            format!("{good}x"),
            format!("cc-{trace}-{span}-01x"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}x{span}-01"),
            format!("0-{trace}0-{span}-01"),
            format!("00-+{}-{span}-01", &trace[1..]),
            "é".repeat(28),
        ] {
            assert_eq!(understood(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_ratio_decides_by_the_id() {
        let sampled =
            |bits, ratio| TraceContext::begin(bits, SpanId::random(1), ratio).is_sampled();
        assert!(sampled(u128::MAX, 1.0) && !sampled(0, 0.0));
        let quarter = (1 << 54) | (7 << 100);
        assert!(sampled(quarter, 0.26) && !sampled(quarter, 0.25));
    }

    #[test]
    fn a_span_has_one_id() {
        assert_eq!(SpanId::of(&["a", "bc"]), SpanId::of(&["a", "bc"]));
        assert_ne!(SpanId::of(&["a", "bc"]), SpanId::of(&["ab", "c"]));
        let below: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
            .parse()
            .unwrap();
        let below = below.below(SpanId::of(&["a"]));
        assert_eq!(below.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert!(!below.is_sampled());
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_traceparent() {
        let seeds = [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            if let Ok(context) = text.parse::<TraceContext>() {
                let shown = context.to_string();
                assert_eq!(shown.len(), LENGTH);
                assert_eq!(shown[2..], text[2..LENGTH]);
            }
        });
    }
}
