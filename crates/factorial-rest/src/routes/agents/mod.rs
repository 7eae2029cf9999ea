//! Agents.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod pause;

use factorial_core::{Counts, StoreError};

use crate::{access::Caller, app::AppState};

/// Tasks by agent and state, for whoever sees all of them.
async fn counts(app: &AppState, caller: &Caller) -> Result<Counts, StoreError> {
    if caller.owners().are_all() {
        app.store.counts().await
    } else {
        Ok(Counts::new())
    }
}
