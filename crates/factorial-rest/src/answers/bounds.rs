//! What an answer may be.
//!
//! Gathers what is wrong, so that whoever answers learns all of it at once.

use factorial_api::FieldError;
use factorial_core::OwnerId;
use factorial_service::{ApiError, ErrorKind};
use serde::Serialize;

use crate::{access::Caller, ownership, refusal::field, submission::most_text};

/// Most bytes of a result, or of arguments, as JSON.
const MOST_PAYLOAD_BYTES: usize = 256 * 1024;
/// Most characters of the message of an error.
pub(crate) const LONGEST_MESSAGE: usize = 16_384;
/// Most characters of the reason of a denial.
pub(crate) const LONGEST_REASON: usize = 4096;
/// Most characters of who answers.
const LONGEST_BY: usize = 128;

/// Gathers what is wrong with an answer.
#[derive(Default)]
pub(crate) struct Bounds(Vec<FieldError>);

impl Bounds {
    /// A text of 1 to so many characters, if it is there.
    pub(crate) fn text(mut self, name: &str, text: Option<&str>, most: usize) -> Self {
        let sound = |text: &str| !text.is_empty() && most_text(text, most);
        if !text.is_none_or(sound) {
            self.0
                .push(field(name, format!("must be 1 to {most} characters")));
        }
        self
    }

    /// Who answers.
    pub(crate) fn by(self, by: Option<&str>) -> Self {
        self.text("/by", by, LONGEST_BY)
    }

    /// Notes a wrong field unless `sound`.
    pub(crate) fn require(mut self, sound: bool, name: &str, message: &str) -> Self {
        if !sound {
            self.0.push(field(name, message));
        }
        self
    }

    /// Ends the checks with the owner, if there is one.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn owner(
        mut self,
        caller: &Caller,
        owner: Option<&str>,
    ) -> Result<Option<OwnerId>, ApiError> {
        let owner = ownership::in_body(caller, owner, &mut self.0);
        if self.0.is_empty() {
            Ok(owner)
        } else {
            Err(ApiError::invalid(self.0))
        }
    }
}

/// Refuses what is too large to be part of a conversation.
///
/// # Errors
/// `payload_too_large`.
pub(super) fn require_small(payload: &impl Serialize) -> Result<(), ApiError> {
    let text = serde_json::to_vec(payload).map_err(ApiError::internal)?;
    if text.len() <= MOST_PAYLOAD_BYTES {
        Ok(())
    } else {
        Err(too_large(MOST_PAYLOAD_BYTES))
    }
}

/// The limit of a body is not what whoever answers wants to know.
pub(crate) fn name_limit(error: ApiError, most_body_bytes: usize) -> ApiError {
    if error.kind() == ErrorKind::PayloadTooLarge {
        too_large(MOST_PAYLOAD_BYTES.min(most_body_bytes))
    } else {
        error
    }
}

fn too_large(most: usize) -> ApiError {
    ApiError::new(ErrorKind::PayloadTooLarge).with_detail(format!(
        "a result or arguments may have at most {most} bytes as JSON"
    ))
}
