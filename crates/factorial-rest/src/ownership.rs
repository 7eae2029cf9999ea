//! Whose task, batch or webhook it is.
//!
//! A caller that is bound to owners sees nothing of others: what a path names is checked when it is taken out of the
//! request (`extract/names.rs`), what a list shows follows from [`scope`], and what a request names is judged here.
//! Invariant: what is another owner's is answered as if it were not there.

use factorial_api::FieldError;
use factorial_core::{OwnerId, Owners, TaskRecord};
use factorial_service::ApiError;

use crate::{
    access::Caller,
    extract::Params,
    refusal::{field, invalid, no_task},
};

/// What is said of an owner that a bound key does not have.
const NOT_OWN: &str = "is not an owner of this key";

/// The owner that a body names, if it names one; one that the caller may not name is noted in `errors`.
pub(crate) fn in_body(
    caller: &Caller,
    owner: Option<&str>,
    errors: &mut Vec<FieldError>,
) -> Option<OwnerId> {
    match named(caller, owner?) {
        Ok(owner) => Some(owner),
        Err(problem) => {
            errors.push(field("/owner_id", problem));
            None
        }
    }
}

/// The owner that the parameters name, if they name one.
pub(crate) fn in_params(caller: &Caller, params: &mut Params) -> Option<OwnerId> {
    params.take("owner_id", |text| named(caller, text))
}

/// The owner that is meant where one has to be: the one that is named, or the only one of the caller.
///
/// # Errors
/// There is none.
pub(crate) fn required(caller: &Caller, named: Option<OwnerId>) -> Result<OwnerId, ApiError> {
    let owner = named.or_else(|| caller.owners().single().cloned());
    owner.ok_or_else(|| invalid("owner_id", "is missing"))
}

/// An owner that the caller may name.
///
/// # Errors
/// Why it may not be named.
pub(crate) fn named(caller: &Caller, text: &str) -> Result<OwnerId, &'static str> {
    one_of(caller.owners(), text)
}

/// One of the owners that may be named.
///
/// # Errors
/// Why it may not be named.
pub(crate) fn one_of(owners: &Owners, text: &str) -> Result<OwnerId, &'static str> {
    let owner = OwnerId::new(text).map_err(|error| error.problem)?;
    if owners.include(&owner) {
        Ok(owner)
    } else {
        Err(NOT_OWN)
    }
}

/// Whose things a list shows: those of the owner that was named, else all that the caller sees.
pub(crate) fn scope(caller: &Caller, named: Option<OwnerId>) -> Owners {
    named.map_or_else(|| caller.owners().clone(), |owner| Owners::of(Some(owner)))
}

/// Puts the only owner of the caller where none was named.
pub(crate) fn or_own(caller: &Caller, owner_id: &mut String) {
    if owner_id.is_empty()
        && let Some(owner) = caller.owners().single()
    {
        owner_id.push_str(owner.as_str());
    }
}

/// The record of a task, unless it is another owner's.
///
/// # Errors
/// `task_not_found`.
pub(crate) fn owned(
    record: Option<TaskRecord>,
    owner: Option<&OwnerId>,
) -> Result<TaskRecord, ApiError> {
    record
        .filter(|record| owner.is_none_or(|owner| *owner == record.owner))
        .ok_or_else(no_task)
}
