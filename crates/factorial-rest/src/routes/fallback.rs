//! What is not a route, or not a method of one.

use factorial_service::{ApiError, ErrorKind};

/// No such path.
pub(crate) async fn no_route() -> ApiError {
    ApiError::new(ErrorKind::RouteNotFound)
}

/// The path has other methods.
pub(crate) async fn no_method() -> ApiError {
    ApiError::new(ErrorKind::MethodNotAllowed)
}
