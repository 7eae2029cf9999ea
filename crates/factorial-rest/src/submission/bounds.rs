//! What a client may ask for: the limits that the API documents.
//!
//! Checks gather what is wrong, so that a client learns all of it at once.

use std::fmt::Display;

use factorial_api::{FieldError, InputRole};
use factorial_core::{InvalidName, OwnerId, Owners, Role};
use factorial_service::ApiError;

use crate::{ownership, refusal::field};

/// Most messages before the query.
pub(super) const MOST_MESSAGES: usize = 1_000;
/// How far ahead a task may be scheduled.
pub(super) const FURTHEST_MS: i64 = 365 * 24 * 3600 * 1000;
/// Longest wall-clock limit: 30 days.
pub(super) const LONGEST_DEADLINE_SECONDS: u64 = 30 * 24 * 3600;
/// Most turns of a run.
pub(super) const MOST_TURNS: u32 = 10_000;
/// Most tool calls that a limit may allow.
pub(super) const MOST_TOOL_CALLS: u32 = 1_000_000;
/// Most tokens that a limit may allow.
pub(super) const MOST_TOKENS: u64 = 1_000_000_000_000;
/// Most labels, and the most characters of a key and of a value.
pub(super) const MOST_LABELS: usize = 32;
pub(super) const LONGEST_LABEL_KEY: usize = 64;
pub(super) const LONGEST_LABEL: usize = 512;

/// Gathers what is wrong with a request.
#[derive(Default)]
pub(super) struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes a wrong field unless `sound`.
    pub(super) fn require(&mut self, sound: bool, name: impl Into<String>, message: &str) {
        if !sound {
            self.0.push(field(name, message));
        }
    }

    /// A number within bounds, if it is there.
    pub(super) fn range<T: PartialOrd + Display + Copy>(
        &mut self,
        number: Option<T>,
        name: &str,
        least: T,
        most: T,
    ) {
        if number.is_some_and(|number| number < least || number > most) {
            self.0
                .push(field(name, format!("must be {least} to {most}")));
        }
    }

    /// A name that becomes part of a key.
    pub(super) fn name<T>(&mut self, name: Result<T, InvalidName>, pointer: &str) -> Option<T> {
        name.map_err(|error| self.0.push(field(pointer, error.problem)))
            .ok()
    }

    /// An owner, one of those that may be named.
    pub(super) fn owner(&mut self, owners: &Owners, name: &str) -> Option<OwnerId> {
        let owner = ownership::one_of(owners, name);
        owner
            .map_err(|problem| self.0.push(field("/owner_id", problem)))
            .ok()
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(self.0))
        }
    }
}

/// Whether a text has at most so many characters.
pub(crate) fn most_text(text: &str, characters: usize) -> bool {
    text.len() <= characters || text.chars().nth(characters).is_none()
}

/// The stored form of a role.
pub(crate) fn role(role: InputRole) -> Role {
    match role {
        InputRole::System => Role::System,
        InputRole::User => Role::User,
        InputRole::Assistant => Role::Assistant,
    }
}
