//! How many values a setting takes: one, at most one, or a list.
//!
//! Used by the generated readers of the groups. Invariant: an absent value is judged here and nowhere else.

use super::value::Value;

/// Why the text of a setting was not accepted.
pub(crate) struct Rejection {
    /// The offending part.
    pub(crate) text: String,
    /// Completes the sentence `"<text>" …`.
    pub(crate) reason: String,
}

/// The type of a field of a group.
pub(crate) trait Slot: Sized {
    /// What to write, for `--help`.
    const KIND: &'static str;
    /// Whether the value must never be shown.
    const SECRET: bool;
    /// Whether several values may be given.
    const LIST: bool = false;
    /// Whether the flag may stand alone, for "true".
    const SWITCH: bool = false;

    /// Reads what was given; `None` when nothing was given and something must be.
    ///
    /// # Errors
    /// The first text that is malformed or out of `range`.
    fn fill(texts: &[String], range: Option<(f64, f64)>) -> Result<Option<Self>, Rejection>;
}

fn one<T: Value>(text: &str, range: Option<(f64, f64)>) -> Result<T, Rejection> {
    let reject = |reason| Rejection {
        text: text.to_owned(),
        reason,
    };
    let value = T::parse(text).map_err(reject)?;
    match (range, value.magnitude()) {
        (Some((min, max)), Some(size)) if !(min..=max).contains(&size) => {
            Err(reject(format!("is not between {min} and {max}")))
        }
        _ => Ok(value),
    }
}

fn single<T: Value>(texts: &[String], range: Option<(f64, f64)>) -> Result<Option<T>, Rejection> {
    match texts {
        [] => Ok(None),
        [text] => one(text, range).map(Some),
        [_, second, ..] => Err(Rejection {
            text: second.clone(),
            reason: "is one value too many".to_owned(),
        }),
    }
}

impl<T: Value> Slot for T {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = T::SECRET;
    const SWITCH: bool = matches!(T::KIND.as_bytes(), b"BOOL");

    fn fill(texts: &[String], range: Option<(f64, f64)>) -> Result<Option<Self>, Rejection> {
        single(texts, range)
    }
}

impl<T: Value> Slot for Option<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = T::SECRET;

    fn fill(texts: &[String], range: Option<(f64, f64)>) -> Result<Option<Self>, Rejection> {
        single(texts, range).map(Some)
    }
}

impl<T: Value> Slot for Vec<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = T::SECRET;
    const LIST: bool = true;

    fn fill(texts: &[String], range: Option<(f64, f64)>) -> Result<Option<Self>, Rejection> {
        texts
            .iter()
            .map(|text| one(text, range))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
