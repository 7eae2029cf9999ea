//! A handler that panics answers 500 like any other fault of ours, and the process goes on.

use std::any::Any;

use axum::response::{IntoResponse, Response};
use factorial_service::ApiError;

/// The answer after a panic; what it said goes to the log.
pub(crate) fn catch_panic(cause: &(dyn Any + Send)) -> Response {
    let said = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    ApiError::internal(format!("a handler panicked: {said}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_ours() {
        for cause in [Box::new("text") as Box<dyn Any + Send>, Box::new(7)] {
            assert_eq!(catch_panic(&*cause).status().as_u16(), 500);
        }
    }
}
