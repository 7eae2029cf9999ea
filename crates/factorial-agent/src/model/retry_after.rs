//! How long a provider asks to wait.
//!
//! Read from the headers of a refused request; the clock is a parameter, and the server's own `Date` is preferred.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, header};
use jiff::fmt::rfc2822;

/// The wait of `retry-after-ms` or `Retry-After` (seconds or an HTTP date, RFC 9110 section 10.2.3).
///
/// A date is measured against the response's `Date`, else against `now`, so that a wrong clock here does no harm.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let millis = text(&HeaderName::from_static("retry-after-ms"))
        .and_then(|value| value.parse::<f64>().ok());
    if let Some(wait) = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok())
    {
        return Some(wait);
    }
    let value = text(&header::RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = date(value)?;
    let now = text(&header::DATE).and_then(date).unwrap_or(now);
    Some(then.duration_since(now).unwrap_or_default())
}

/// An IMF-fixdate, which is RFC 2822's form with `GMT` as its zone.
fn date(value: &str) -> Option<SystemTime> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()
        .map(SystemTime::from)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn all_forms_are_read() {
        let now = date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let wait = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), now);
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            wait(&[("retry-after", "0.5")]),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            wait(&[("retry-after-ms", "250"), ("retry-after", "7")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            wait(&[("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")]),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            wait(&[("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")]),
            Some(Duration::ZERO)
        );
        let server_clock = [
            ("retry-after", "Wed, 21 Oct 2015 08:28:30 GMT"),
            ("date", "Wed, 21 Oct 2015 08:28:00 GMT"),
        ];
        assert_eq!(wait(&server_clock), Some(Duration::from_secs(30)));
        for nonsense in ["-1", "NaN", "1e400", "soon", ""] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        assert_eq!(wait(&[]), None);
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use http::HeaderValue;

    #[test]
    fn fuzz_retry_after() {
        let seeds: [&[u8]; 5] = [
            b"7",
            b"0.5",
            b"Wed, 21 Oct 2015 07:28:30 GMT",
            b"1e300",
            b"31 Dec 9999 23:59:59 +0000",
        ];
        factorial_fuzz::bytes(&seeds, |bytes| {
            let Ok(value) = HeaderValue::from_bytes(bytes) else {
                return;
            };
            for name in [
                header::RETRY_AFTER,
                HeaderName::from_static("retry-after-ms"),
            ] {
                let mut headers = HeaderMap::new();
                headers.insert(name, value.clone());
                let _ = retry_after(&headers, SystemTime::UNIX_EPOCH);
                headers.insert(header::DATE, value.clone());
                let _ = retry_after(&headers, SystemTime::UNIX_EPOCH);
            }
        });
    }
}
