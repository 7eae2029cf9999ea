//! Whose task it is.
//!
//! Used by every operation that a client may bind to an owner. Invariant: what is another owner's is answered as if it
//! were not there.

use factorial_api::FieldError;
use factorial_core::{OwnerId, TaskRecord};
use factorial_service::ApiError;

use crate::{
    extract::Params,
    refusal::{field, no_task},
};

/// The owner that a body names, if it names one; a malformed one is noted in `errors`.
pub(crate) fn in_body(owner: Option<&str>, errors: &mut Vec<FieldError>) -> Option<OwnerId> {
    match OwnerId::new(owner?) {
        Ok(owner) => Some(owner),
        Err(error) => {
            errors.push(field("/owner_id", error.problem));
            None
        }
    }
}

/// The owner that the parameters name, if they name one.
pub(crate) fn in_params(params: &mut Params) -> Option<OwnerId> {
    params.take("owner_id", |text| {
        OwnerId::new(text).map_err(|error| error.problem)
    })
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
