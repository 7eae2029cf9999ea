//! URLs with `{param}` in them.
//!
//! Checked when an agent is loaded, filled when its tool is called. Invariant: an argument can change neither the host
//! nor the number of path segments.

use url::{Position, Url};

/// A URL whose path and query may hold parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlTemplate {
    /// Literal text before each parameter, and the parameter.
    parts: Vec<(String, String)>,
    tail: String,
}

/// A URL template, or a value for one, that is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("not a URL: {0}")]
    NotAUrl(String),
    #[error("must start with http:// or https://")]
    Scheme,
    #[error("a parameter may only stand in the path or the query")]
    Place,
    #[error("a `{{` without its `}}`, or a parameter name that is not letters, digits and `_`")]
    Braces,
    #[error("argument `{0}` is missing")]
    Missing(String),
    #[error("argument `{0}` cannot be empty, `.` or `..`")]
    Segment(String),
}

impl UrlTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or(TemplateError::Braces)?;
            if name.is_empty()
                || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
                || before.contains('}')
            {
                return Err(TemplateError::Braces);
            }
            parts.push((before.to_owned(), name.to_owned()));
            rest = tail;
        }
        if rest.contains('}') {
            return Err(TemplateError::Braces);
        }
        let template = Self {
            parts,
            tail: rest.to_owned(),
        };
        let sample = template.fill(|_| Some("x".to_owned()))?;
        if !matches!(sample.scheme(), "http" | "https") || sample.host_str().is_none() {
            return Err(TemplateError::Scheme);
        }
        // The literal text before the first parameter has to reach into the path: more of it changes that, and the server not.
        // Slashes do not tell, as more than two may stand before the host; nor does the host alone, as `0` and `0x` are one.
        let reaches_path = |text: &str| {
            let ends = Url::parse(text)
                .ok()
                .zip(Url::parse(&format!("{text}x")).ok());
            ends.is_some_and(|(a, b)| {
                a[..Position::BeforePath] == b[..Position::BeforePath]
                    && a[Position::BeforePath..] != b[Position::BeforePath..]
            })
        };
        if template
            .parts
            .first()
            .is_some_and(|(before, _)| !reaches_path(before))
        {
            return Err(TemplateError::Place);
        }
        Ok(template)
    }

    /// The names of the parameters.
    pub(crate) fn params(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(_, name)| name.as_str())
    }

    /// The URL with each parameter replaced.
    pub(crate) fn fill(
        &self,
        mut value: impl FnMut(&str) -> Option<String>,
    ) -> Result<Url, TemplateError> {
        let mut url = String::new();
        for (before, name) in &self.parts {
            url.push_str(before);
            let value = value(name).ok_or_else(|| TemplateError::Missing(name.clone()))?;
            // A URL parser takes these for steps between directories, percent-encoded or not.
            if !url.contains('?') && matches!(value.as_str(), "" | "." | "..") {
                return Err(TemplateError::Segment(name.clone()));
            }
            encode(&value, &mut url);
        }
        url.push_str(&self.tail);
        Url::parse(&url).map_err(|error| TemplateError::NotAUrl(error.to_string()))
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push_str(&hex::encode_upper([byte]));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, TemplateError> {
        UrlTemplate::parse(template)
            .unwrap()
            .fill(|_| Some(value.to_owned()))
            .map(String::from)
    }

    #[test]
    fn values_stay_in_their_segment() {
        assert_eq!(
            fill("http://h/a/{x}/b", "1/2?3#4 é").unwrap(),
            "http://h/a/1%2F2%3F3%234%20%C3%A9/b"
        );
        assert_eq!(
            fill("http://h/a?q={x}&n=1", "a&b=..").unwrap(),
            "http://h/a?q=a%26b%3D..&n=1"
        );
        assert_eq!(fill("http://h/a?q={x}", "").unwrap(), "http://h/a?q=");
        for step in ["", ".", ".."] {
            assert_eq!(
                fill("http://h/a/{x}/b", step),
                Err(TemplateError::Segment("x".into()))
            );
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        for (template, error) in [
            ("http://{x}/a", TemplateError::Place),
            ("http://h{x}", TemplateError::Place),
            ("http:///{x}", TemplateError::Place),
            ("http://0{x}/a", TemplateError::Place),
            ("http:0{x}", TemplateError::Place),
            ("http:///{x}/a", TemplateError::Place),
            ("https:\\\\/{x}/a", TemplateError::Place),
            ("http://u:{x}@h/a", TemplateError::Place),
            ("http://h:{x}/a", TemplateError::Place),
            ("ftp://h/{x}", TemplateError::Scheme),
            ("http://h/{x", TemplateError::Braces),
            ("http://h/x}", TemplateError::Braces),
            ("http://h/{}", TemplateError::Braces),
            ("http://h/{a b}", TemplateError::Braces),
        ] {
            let got = UrlTemplate::parse(template);
            assert!(
                got == Err(error.clone())
                    || matches!(
                        (&got, &error),
                        (Err(TemplateError::NotAUrl(_)), TemplateError::Place)
                    ),
                "{template}: {got:?}"
            );
        }
        assert!(matches!(
            UrlTemplate::parse("{x}/a"),
            Err(TemplateError::NotAUrl(_))
        ));
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_url_template() {
        let seeds = [
            "https://api.example.com/v1/{city}/x?q={q}#f",
            "http://[::1]:80/{a}{b}",
            "http://u@h/{a}",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            let Ok(template) = UrlTemplate::parse(text) else {
                return;
            };
            let plain = template.fill(|_| Some("x".to_owned()));
            for argument in ["../..", "a/b", "@evil", "?x#y", "%2e%2e", "\\\\evil", "é"] {
                if let (Ok(plain), Ok(filled)) =
                    (&plain, template.fill(|_| Some(argument.to_owned())))
                {
                    assert_eq!(filled.host_str(), plain.host_str(), "{argument}");
                    let segments = |url: &Url| url.path_segments().map(Iterator::count);
                    assert_eq!(segments(&filled), segments(plain), "{argument}");
                }
            }
        });
    }
}
