//! What the dashboard is told at its start.

/// Settings of the process.
#[derive(Clone, Debug)]
pub struct DashboardOptions {
    /// Name that the page shows.
    pub name: String,
    /// URL of the gateway's API documentation, where it is known.
    pub api_docs: Option<String>,
    /// Origins of other sites whose pages may call the dashboard, as an `Origin` header has them; `*` for all.
    pub cors_origins: Vec<String>,
}
