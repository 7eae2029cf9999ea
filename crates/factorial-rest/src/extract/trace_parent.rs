//! The `traceparent` header.
//!
//! Invariant: what is kept is of version 00 of the W3C form, whatever was sent; a malformed one is as good as none,
//! since tracing must never refuse work.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

const HEADER: &str = "traceparent";
/// Length of version 00.
const LENGTH: usize = 55;

/// The caller's trace context, if it sent one.
pub(crate) struct TraceParent(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for TraceParent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let one = given.next().filter(|_| given.next().is_none());
        Ok(Self(one.and_then(|text| understood(text.to_str().ok()?))))
    }
}

/// As version 00; of a later version, the part that version 00 has.
fn understood(text: &str) -> Option<String> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let mut parts = known.split('-');
    let mut hex = |length: usize| {
        let part = parts.next()?;
        let sound =
            part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        sound.then_some(part)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let is_zero = |part: &str| part.bytes().all(|b| b == b'0');
    let ends = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let sound = version != "ff" && ends && !is_zero(trace) && !is_zero(span);
    sound.then(|| format!("00-{trace}-{span}-{flags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "é".repeat(28),
        ] {
            assert_eq!(understood(&bad), None, "{bad}");
        }
    }
}
