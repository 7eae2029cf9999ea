//! Cuts a body into lines as it arrives.
//!
//! Used by the submit handler. Invariant: no more than one line, of at most its limit, and one part of the body are held.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Buf, BytesMut};
use factorial_service::{ApiError, ErrorKind};
use futures::StreamExt;
use http::{HeaderMap, header};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a client may send nothing.
const NEXT_WITHIN: Duration = Duration::from_secs(30);
/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(3600);
/// How long the rest of a body that is refused is read and thrown away: a client that is still sending would find its
/// connection reset, and never see the answer.
const DISCARD_FOR: Duration = Duration::from_secs(5);
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without its line break.
    Text(BytesMut),
    /// It was longer than allowed, and is not here.
    TooLong,
}

/// The lines of a body.
pub(crate) struct Lines {
    stream: BodyDataStream,
    buffer: BytesMut,
    /// Bytes at the start of the buffer that hold no line break.
    searched: usize,
    /// The line that is being read is too long.
    skipping: bool,
    ended: bool,
    /// Lines so far, blank ones included.
    number: u64,
    bytes: u64,
    most_bytes: u64,
    longest: usize,
    until: Instant,
}

impl Lines {
    /// The lines of a body of at most `most_bytes`, each of at most `longest` bytes.
    ///
    /// # Errors
    /// `payload_too_large` when the body is announced as larger and the client waits for our word.
    pub(crate) fn new(
        headers: &HeaderMap,
        body: Body,
        most_bytes: u64,
        longest: usize,
    ) -> Result<Self, ApiError> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > most_bytes)
            && headers.contains_key(header::EXPECT)
        {
            return Err(too_large(most_bytes));
        }
        Ok(Self {
            stream: body.into_data_stream(),
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
            ended: false,
            number: 0,
            bytes: 0,
            most_bytes,
            longest,
            until: Instant::now() + ARRIVES_WITHIN,
        })
    }

    /// The next line that is not blank, with its number from 1; `None` at the end.
    ///
    /// # Errors
    /// `payload_too_large`; `invalid_json` when the body ends early or does not arrive in time.
    pub(crate) async fn next(&mut self) -> Result<Option<(u64, Line)>, ApiError> {
        loop {
            if let Some(line) = self.cut() {
                self.number += 1;
                if let Some(line) = self.trim(line) {
                    return Ok(Some((self.number, line)));
                }
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            self.read().await?;
        }
    }

    /// Reads what is left and throws it away, for a bounded time.
    pub(crate) async fn discard(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        // Either way the answer is the same.
        let _ = timeout(DISCARD_FOR, rest).await;
    }

    /// The next line in the buffer, with its line break; at the end of the body what is left.
    fn cut(&mut self) -> Option<Line> {
        let rest = &self.buffer[self.searched..];
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            if self.skipping || self.buffer.len() > self.most_held() {
                self.skipping = true;
                self.buffer.clear();
                self.searched = 0;
            }
            let left = self.ended && (self.skipping || !self.buffer.is_empty());
            return left.then(|| self.take(self.buffer.len()));
        };
        let length = self.searched + at + 1;
        Some(self.take(length))
    }

    /// Bytes of a line without its line break: a carriage return may follow the last one.
    fn most_held(&self) -> usize {
        self.longest + BOM.len() + 1
    }

    fn take(&mut self, length: usize) -> Line {
        let line = self.buffer.split_to(length);
        self.searched = 0;
        // Of blanks too: what a line is must not depend on the parts that it came in.
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        let too_long = whole.len() > self.most_held();
        if std::mem::take(&mut self.skipping) || too_long {
            Line::TooLong
        } else {
            Line::Text(line)
        }
    }

    /// Without byte order mark and line break; `None` for a blank line.
    fn trim(&self, line: Line) -> Option<Line> {
        let Line::Text(mut text) = line else {
            return Some(line);
        };
        if self.number == 1 && text.starts_with(BOM) {
            text.advance(BOM.len());
        }
        let length = text.trim_ascii_end().len();
        text.truncate(length);
        if text.len() > self.longest {
            return Some(Line::TooLong);
        }
        (!text.trim_ascii_start().is_empty()).then_some(Line::Text(text))
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let soon = (Instant::now() + NEXT_WITHIN).min(self.until);
        let Ok(part) = timeout_at(soon, self.stream.next()).await else {
            return Err(incomplete("the body did not arrive in time"));
        };
        match part {
            None => self.ended = true,
            Some(Err(_)) => return Err(incomplete("the body ended early")),
            Some(Ok(part)) => {
                self.bytes += part.len() as u64;
                if self.bytes > self.most_bytes {
                    return Err(too_large(self.most_bytes));
                }
                self.buffer.extend_from_slice(&part);
            }
        }
        Ok(())
    }
}

fn too_large(limit: u64) -> ApiError {
    ApiError::new(ErrorKind::PayloadTooLarge)
        .with_detail(format!("a batch may have at most {limit} bytes"))
}

fn incomplete(detail: &str) -> ApiError {
    ApiError::new(ErrorKind::InvalidJson).with_detail(detail)
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use futures::stream;

    use super::*;

    /// The lines of a body that comes in parts of so many bytes.
    async fn lines(text: &[u8], part: usize, longest: usize) -> Vec<(u64, Option<String>)> {
        let parts: Vec<_> = text.chunks(part).map(<[u8]>::to_vec).collect();
        let parts = parts.into_iter().map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(stream::iter(parts));
        let mut lines = Lines::new(&HeaderMap::new(), body, 1000, longest).expect("small");
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().await.expect("whole") {
            let text = match line {
                Line::Text(text) => Some(String::from_utf8(text.to_vec()).expect("text")),
                Line::TooLong => None,
            };
            all.push((number, text));
        }
        all
    }

    #[tokio::test]
    async fn lines_are_found_however_they_arrive() {
        let text = b"\xef\xbb\xbf{1}\r\n\n  \n {2}\n{3456}\r\n{789012}\n{4}";
        let some = |text: &str| Some(text.to_owned());
        for part in 1..text.len() {
            let found = lines(text, part, 6).await;
            let expected = [
                (1, some("{1}")),
                (4, some(" {2}")),
                (5, some("{3456}")),
                (6, None),
                (7, some("{4}")),
            ];
            assert_eq!(found, expected, "parts of {part}");
        }
    }

    #[tokio::test]
    async fn an_endless_line_is_not_kept() {
        let found = lines(&[b'x'; 900], 10, 20).await;
        assert_eq!(found, [(1, None)]);
        assert_eq!(lines(b"\xef\xbb\xbf", 1, 20).await, []);
        assert_eq!(lines(b"", 1, 20).await, []);
        for part in [1, 1000] {
            assert_eq!(lines(&[b' '; 30], part, 20).await, [(1, None)]);
        }
        let body = Body::from(vec![b'\n'; 1001]);
        let mut lines = Lines::new(&HeaderMap::new(), body, 1000, 20).expect("not announced");
        let refused = lines.next().await.expect_err("too large");
        assert_eq!(refused.kind(), ErrorKind::PayloadTooLarge);
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use futures::{FutureExt as _, stream};

    /// The lines of a body that is there in parts; `None`: it is refused.
    fn lines(bytes: &[u8], part: usize, longest: usize) -> Option<Vec<(u64, Line)>> {
        let parts: Vec<_> = bytes.chunks(part).map(<[u8]>::to_vec).collect();
        let body = Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)));
        let mut lines = Lines::new(&HeaderMap::new(), body, 4096, longest).ok()?;
        let mut all = Vec::new();
        let read = async {
            while let Some(line) = lines.next().await.ok()? {
                all.push(line);
            }
            Some(())
        };
        // All of it is there, so nothing is waited for.
        read.now_or_never()??;
        Some(all)
    }

    #[tokio::test]
    async fn fuzz_ndjson() {
        let seeds: [&[u8]; 3] = [
            b"\xef\xbb\xbf{\"agent\":\"a\",\"input\":\"x\"}\r\n\n  \n{\"agent\":\"b\",\"input\":\"y\"}\n",
            b"{}\n{}\n[1]\n\"\xff\"",
            b"\r\r\n\n",
        ];
        factorial_fuzz::bytes(&seeds, |bytes| {
            for longest in [4, 64] {
                let whole = lines(bytes, 8192, longest);
                assert_eq!(whole.is_some(), bytes.len() <= 4096);
                for part in [1, 7] {
                    assert_eq!(lines(bytes, part, longest), whole, "parts of {part}");
                }
                let whole = whole.unwrap_or_default();
                assert!(whole.is_sorted_by(|(a, _), (b, _)| a < b));
                for (number, line) in whole {
                    assert!(number <= bytes.iter().filter(|b| **b == b'\n').count() as u64 + 1);
                    if let Line::Text(text) = line {
                        assert!(text.len() <= longest && !text.contains(&b'\n'));
                        let _ = crate::extract::parse_json::<factorial_api::BatchMember>(&text);
                    }
                }
            }
        });
    }
}
