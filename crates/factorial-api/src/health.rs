//! The health document at `GET /`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Health {
    /// `ok`, or `degraded` when Redis does not answer.
    pub status: String,
    /// The service's name, for example `factorial-gateway`.
    pub service: String,
    /// Its version.
    pub version: String,
}
