//! What the dashboard is told at its start.

/// Settings of the process.
#[derive(Clone, Debug)]
pub struct DashboardOptions {
    /// Name that the page shows.
    pub name: String,
    /// URL of the gateway's API documentation, where it is known.
    pub api_docs: Option<String>,
}
