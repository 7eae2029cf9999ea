//! Where providers are and what opens them.
//!
//! Filled by the worker's configuration, read when agents are built. Invariant: nothing here reads the environment;
//! keys stay in a redacting type until the request is made.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use crate::definition::{ModelTarget, Provider};

/// Looks up a secret by the name of its environment variable.
pub trait Keys: Send + Sync {
    /// The value of `variable`, if it is set and not empty.
    fn get(&self, variable: &str) -> Option<SecretString>;
}

impl<F: Fn(&str) -> Option<SecretString> + Send + Sync> Keys for F {
    fn get(&self, variable: &str) -> Option<SecretString> {
        self(variable)
    }
}

/// Knows no secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn get(&self, _variable: &str) -> Option<SecretString> {
        None
    }
}

/// Process-wide settings of one provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    /// Used instead of the provider's own address, for agents that name none.
    pub base_url: Option<String>,
    /// Used for agents that name no variable.
    pub key: Option<SecretString>,
}

/// All that is known about providers in a process.
#[derive(Clone)]
pub struct Providers {
    /// By provider; a missing entry is an empty one.
    pub settings: BTreeMap<Provider, ProviderSettings>,
    /// Secrets that agent files refer to by variable.
    pub keys: Arc<dyn Keys>,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            settings: BTreeMap::new(),
            keys: Arc::new(NoKeys),
        }
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Providers")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A place to send requests to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Ends in a slash.
    pub(crate) base_url: String,
    pub(crate) key: Option<SecretString>,
}

impl Providers {
    /// The address and key of a model.
    ///
    /// # Errors
    /// What is missing, naming the variable to set.
    pub(crate) fn endpoint(&self, target: &ModelTarget) -> Result<Endpoint, String> {
        let settings = self.settings.get(&target.provider);
        let custom = target
            .base_url
            .clone()
            .or_else(|| settings.and_then(|settings| settings.base_url.clone()));
        let key = match &target.api_key_env {
            Some(variable) => Some(self.keys.get(variable).ok_or_else(|| {
                format!(
                    "model {}: set {variable} to the API key of {}",
                    target.name, target.provider
                )
            })?),
            // The process-wide key belongs to the provider; it is not sent to an address that an agent file names.
            None if target.base_url.is_some() => None,
            None => settings.and_then(|settings| settings.key.clone()),
        };
        let (default_url, variable) = target.provider.defaults();
        // A server of one's own may need no key, so only the provider's own address insists on one.
        if custom.is_none()
            && key.is_none()
            && let Some(variable) = variable
        {
            return Err(format!(
                "model {}: no API key for provider {}; set {variable}",
                target.name, target.provider
            ));
        }
        let base_url = custom
            .or_else(|| default_url.map(str::to_owned))
            .ok_or_else(|| {
                format!(
                    "model {}: provider {} needs a `base_url`",
                    target.name, target.provider
                )
            })?;
        let url = url::Url::parse(&base_url)
            .map_err(|error| format!("model {}: base_url: {error}", target.name))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "model {}: base_url must start with http:// or https://",
                target.name
            ));
        }
        let base_url = if base_url.ends_with('/') {
            base_url
        } else {
            format!("{base_url}/")
        };
        Ok(Endpoint { base_url, key })
    }

    /// Replaces each `${NAME}` in the value of a header or variable by the secret of that name.
    ///
    /// # Errors
    /// The variable that is not set.
    pub(crate) fn filled(&self, template: &str) -> Result<String, String> {
        let mut value = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            let secret = self
                .keys
                .get(name)
                .ok_or_else(|| format!("set {name}, which the agent file refers to"))?;
            value.push_str(before);
            value.push_str(secret.expose_secret());
            rest = tail;
        }
        value.push_str(rest);
        Ok(value)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn providers() -> Providers {
        let keys = |name: &str| (name == "TEAM_KEY").then(|| SecretString::from("team"));
        Providers {
            keys: Arc::new(keys),
            ..Providers::default()
        }
    }

    #[test]
    fn the_missing_variable_is_named() {
        let error = providers()
            .endpoint(&ModelTarget::new(Provider::Openai, "gpt"))
            .unwrap_err();
        assert_eq!(
            error,
            "model gpt: no API key for provider openai; set OPENAI_API_KEY"
        );
        let target = ModelTarget {
            api_key_env: Some("OTHER".into()),
            ..ModelTarget::new(Provider::Xai, "grok")
        };
        assert_eq!(
            providers().endpoint(&target).unwrap_err(),
            "model grok: set OTHER to the API key of xai"
        );
        let error = providers()
            .endpoint(&ModelTarget::new(Provider::OpenaiCompatible, "m"))
            .unwrap_err();
        assert!(error.contains("base_url"), "{error}");
    }

    #[test]
    fn own_servers_need_no_key_and_get_none_that_is_not_theirs() {
        let mut providers = providers();
        let settings = ProviderSettings {
            base_url: Some("http://127.0.0.1:1/v1".into()),
            key: Some("openai".into()),
        };
        providers.settings.insert(Provider::Openai, settings);
        let endpoint = providers
            .endpoint(&ModelTarget::new(Provider::Openai, "gpt"))
            .unwrap();
        assert_eq!(
            (endpoint.base_url.as_str(), endpoint.key.is_some()),
            ("http://127.0.0.1:1/v1/", true)
        );
        let elsewhere = ModelTarget {
            base_url: Some("https://example.com/".into()),
            ..ModelTarget::new(Provider::Openai, "gpt")
        };
        assert!(providers.endpoint(&elsewhere).unwrap().key.is_none());
        let named = ModelTarget {
            api_key_env: Some("TEAM_KEY".into()),
            ..elsewhere
        };
        assert_eq!(
            providers
                .endpoint(&named)
                .unwrap()
                .key
                .unwrap()
                .expose_secret(),
            "team"
        );
    }

    #[test]
    fn headers_take_secrets_by_name() {
        assert_eq!(
            providers().filled("Bearer ${TEAM_KEY}!").unwrap(),
            "Bearer team!"
        );
        assert_eq!(providers().filled("plain $5 {x}").unwrap(), "plain $5 {x}");
        assert!(providers().filled("${NOPE}").unwrap_err().contains("NOPE"));
    }
}
