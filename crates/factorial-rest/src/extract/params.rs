//! Query parameters, judged all together.
//!
//! A handler takes what it knows, one by one, and then `finish`es. Invariant: a parameter that nobody took, or that
//! came twice, is refused, so that a misspelt filter is never ignored.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use axum::extract::{FromRequestParts, Query};
use factorial_api::{FieldError, Time};
use factorial_service::ApiError;
use http::request::Parts;

use crate::refusal::{field, shorten};

/// The parameters of a request.
pub struct Params {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(Query(given)) => Ok(Self {
                given,
                errors: Vec::new(),
            }),
            Err(_) => Err(ApiError::invalid(vec![field("", "the query is malformed")])),
        }
    }
}

impl Params {
    /// Takes a parameter; `None` when it is absent, or not accepted by `parse`, which then says what it must be.
    pub fn take<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let at = self.given.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.given.remove(at);
        match parse(&value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(field(name, error.to_string()));
                None
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in &self.given {
            let name = shorten(name);
            self.errors
                .push(field(name, "is not a parameter here, or is given twice"));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(self.errors))
        }
    }
}

/// Reads a number within a range.
pub(crate) fn within<T: FromStr + PartialOrd + Display>(
    range: RangeInclusive<T>,
) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("must be {} to {}", range.start(), range.end())),
    }
}

/// Reads an instant, RFC 3339, as ms since the Unix epoch.
pub(crate) fn instant(text: &str) -> Result<u64, &'static str> {
    let time: Time = serde_json::from_value(text.into()).map_err(|_| "is not an RFC 3339 time")?;
    u64::try_from(time.as_millis()).map_err(|_| "must be after 1970")
}

/// Reads the part of an id that sorts by time: the cursor of lists that are sorted by it.
pub(crate) fn time_cursor(text: &str) -> Result<String, &'static str> {
    let canonical = text.len() == 26
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        && ulid::Ulid::from_string(text).is_ok();
    if canonical {
        Ok(text.to_owned())
    } else {
        Err("is not a cursor of this list")
    }
}
