//! Cursors whose form is nobody's business: base64url of a text.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Longer ones were not given out.
const LONGEST: usize = 2048;

/// The cursor as it is given out.
pub(crate) fn seal_cursor(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What `sound` makes of the text in a cursor.
///
/// # Errors
/// When there is none, or it is not sound.
pub(crate) fn open_cursor<T>(
    cursor: &str,
    sound: impl FnOnce(&str) -> Option<T>,
) -> Result<T, &'static str> {
    let bytes = (cursor.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(cursor).ok());
    bytes
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| sound(&text))
        .ok_or("is not a cursor of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cursors_are_cursors() {
        let sealed = seal_cursor("17 é/?");
        assert!(!sealed.contains(['/', '+', '=', ' ']), "{sealed}");
        assert_eq!(
            open_cursor(&sealed, |text| Some(text.to_owned())),
            Ok("17 é/?".to_owned())
        );
        for bad in ["=", "a b", "_w", &"A".repeat(4096)] {
            assert!(open_cursor(bad, |_| Some(())).is_err(), "{bad}");
        }
        assert!(open_cursor(&sealed, |_| None::<()>).is_err());
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_page_cursor() {
        factorial_fuzz::texts(
            &[
                &seal_cursor("17 é/?"),
                &seal_cursor("0 c 01hf7yat000000000000000010"),
                "",
            ],
            |text| {
                let opened = open_cursor(text, |text| Some(text.to_owned()));
                if let Ok(opened) = opened {
                    assert_eq!(seal_cursor(&opened), text);
                }
                // What clients cannot make is opened too.
                let _ = open_cursor(text, |text| text.parse::<factorial_core::ListCursor>().ok());
                assert_eq!(
                    open_cursor(&seal_cursor(text), |text| Some(text.len())).is_ok(),
                    seal_cursor(text).len() <= LONGEST
                );
            },
        );
    }
}
