//! The dashboard.

use url::Url;

use crate::config::group::config_group;
use crate::config::value::Value;

config_group! {
    /// The web dashboard.
    pub struct ObservabilityConfig, "Observability", in "observability" {
        /// Whether the dashboard is served.
        enabled: bool = "true", name "observability_enabled";
        /// Address that the dashboard listens on.
        host: String = "127.0.0.1", name "observability_host";
        /// Port that the dashboard listens on; 0 takes any free one.
        port: u16 = "8080", name "observability_port";
        /// Name that the dashboard shows.
        dashboard_name: String = "Factorial";
        /// Origins of other sites whose pages may call the dashboard, such as `https://ops.example.com`; none by default.
        cors_origins: Vec<CorsOrigin>;
    }
}

/// Scheme, host and port of a site, or `*` for all, as an `Origin` header has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsOrigin(String);

impl CorsOrigin {
    /// The text to compare with an `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for CorsOrigin {
    const KIND: &'static str = "ORIGIN";

    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(text.to_owned()));
        }
        let url = <Url as Value>::parse(text)?;
        let origin = url.origin().ascii_serialization();
        if text.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
            Ok(Self(origin))
        } else {
            Err(format!("is more than an origin (write {origin:?})"))
        }
    }
}
