//! The admin port of a process, as probes and Prometheus see it.

use serde_json::Value;

use super::Process;

impl Process {
    /// Where its admin port is, from its log. Empty until it listens.
    #[must_use]
    pub fn admin_url(&self) -> String {
        let listens = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            let address = line["address"].as_str()?;
            (line["message"] == "admin port listens").then(|| format!("http://{address}"))
        };
        self.log().lines().find_map(listens).unwrap_or_default()
    }

    /// Status and body of a path of the admin port.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.admin_url());
        let response = reqwest::get(&url)
            .await
            .unwrap_or_else(|e| panic!("{} does not answer: {e}", self.name()));
        let status = response.status().as_u16();
        (status, response.text().await.expect("a body"))
    }

    /// The sum of all series of a metric whose line has each of `labels` in it; `None` when there is none. Of a histogram name
    /// its `_count` or `_sum`.
    ///
    /// # Panics
    /// When the admin port does not answer.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let (_, text) = self.admin("/metrics").await;
        let of_metric = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        };
        let values: Vec<f64> = text
            .lines()
            .filter(of_metric)
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }
}
