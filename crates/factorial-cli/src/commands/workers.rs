//! `factorial workers`.

use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::worker_table;

/// Lists workers.
pub(crate) async fn workers(gateway: &Gateway) -> Result<Exit, CliError> {
    let now = gateway.now();
    let page = gateway
        .all(async |cursor| gateway.client.workers(cursor.as_deref(), None).await)
        .await?;
    gateway.print(&page, |paint| worker_table(&page.data, now, paint))
}
