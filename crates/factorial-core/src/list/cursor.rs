//! Where a list goes on.

use std::{fmt, str::FromStr};

use crate::ids::TaskId;

/// A place in a list, behind the last task that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// The part of the list.
    pub(super) part: usize,
    /// In it; `None` at its beginning.
    pub(super) place: Option<Place>,
}

/// The last task that was seen, in the order of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By id: the part of it that sorts by time.
    Id(String),
    /// By the score in an index, ms, and the id among those with the same.
    Score(i64, TaskId),
}

impl fmt::Display for ListCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part;
        match &self.place {
            None => write!(f, "{part}"),
            Some(Place::Id(unique)) => write!(f, "{part} c {unique}"),
            Some(Place::Score(score, id)) => write!(f, "{part} s {score} {id}"),
        }
    }
}

/// Not a cursor of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this list")]
pub struct InvalidCursor;

impl FromStr for ListCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (part, place) = match text.split_once(' ') {
            Some((part, place)) => (part, Some(place.parse()?)),
            None => (text, None),
        };
        let part = part.parse().map_err(|_| InvalidCursor)?;
        Ok(Self { part, place })
    }
}

impl FromStr for Place {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (kind, place) = text.split_once(' ').ok_or(InvalidCursor)?;
        match kind {
            "c" => {
                // The same form as in an id.
                let id: TaskId = format!("0-{place}").parse().map_err(|_| InvalidCursor)?;
                Ok(Self::Id(id.unique().to_owned()))
            }
            "s" => {
                let (score, id) = place.split_once(' ').ok_or(InvalidCursor)?;
                let score = score.parse().map_err(|_| InvalidCursor)?;
                Ok(Self::Score(score, id.parse().map_err(|_| InvalidCursor)?))
            }
            _ => Err(InvalidCursor),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        for text in [
            "2",
            "0 c 01hf7yat000000000000000010",
            "1 s 17 3-01hf7yat000000000000000010",
        ] {
            assert_eq!(text.parse::<ListCursor>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "x",
            "0 c",
            "0 c x",
            "0 s 1",
            "c 01hf7yat000000000000000010",
            "0 s x 3-01hf7yat000000000000000010",
            "0 x 1 2",
        ] {
            assert!(bad.parse::<ListCursor>().is_err(), "{bad}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_list_cursor() {
        let seeds = [
            "2",
            "0 c 01hf7yat000000000000000010",
            "1 s 17 3-01hf7yat000000000000000010",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            if let Ok(cursor) = text.parse::<ListCursor>() {
                assert_eq!(cursor.to_string().parse::<ListCursor>(), Ok(cursor));
            }
        });
    }
}
