//! Keys and addresses of the model providers.

use secrecy::SecretString;
use url::Url;

use crate::config::group::config_group;

config_group! {
    /// Keys and addresses of the model providers, under the names that the providers' own tools use.
    pub struct ProviderKeys, "Model providers", in "" {
        /// Key of OpenAI, or of the server at `OPENAI_BASE_URL`.
        openai_api_key: Option<SecretString>, env "OPENAI_API_KEY";
        /// Base URL of OpenAI or of any server that speaks its protocol, with the version: `http://127.0.0.1:11434/v1`.
        openai_base_url: Option<Url>, env "OPENAI_BASE_URL";
        /// Key of xAI.
        xai_api_key: Option<SecretString>, env "XAI_API_KEY";
        /// Base URL of xAI.
        xai_base_url: Option<Url>, env "XAI_BASE_URL";
        /// Key of Anthropic.
        anthropic_api_key: Option<SecretString>, env "ANTHROPIC_API_KEY";
        /// Key of Google Gemini.
        gemini_api_key: Option<SecretString>, env "GEMINI_API_KEY";
        /// Key of Fireworks.
        fireworks_api_key: Option<SecretString>, env "FIREWORKS_API_KEY";
        /// Where Ollama listens: `host:port` or a URL.
        ollama_host: Option<String>, env "OLLAMA_HOST";
        /// Base URL of a simulated model, which answers in place of OpenAI and xAI while none of the above is set:
        /// `http://127.0.0.1:8091/v1`.
        simulated_model_url: Option<Url>;
    }
}

impl ProviderKeys {
    /// Sent where a key is wanted and none is needed.
    pub const NO_KEY: &str = "unused";

    /// Whether any provider has a key or an address.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        let keys = [
            &self.openai_api_key,
            &self.xai_api_key,
            &self.anthropic_api_key,
            &self.gemini_api_key,
            &self.fireworks_api_key,
        ];
        keys.iter().any(|key| key.is_some())
            || self.openai_base_url.is_some()
            || self.xai_base_url.is_some()
            || self.ollama_host.is_some()
    }

    /// Has an OpenAI-compatible server that wants no key answer for OpenAI and xAI.
    pub fn answer_by(&mut self, base_url: &Url) {
        for (url, key) in [
            (&mut self.openai_base_url, &mut self.openai_api_key),
            (&mut self.xai_base_url, &mut self.xai_api_key),
        ] {
            *url = Some(base_url.clone());
            *key = Some(Self::NO_KEY.into());
        }
    }

    /// Turns to the simulated model, if there is one and no provider is configured; its base URL then.
    pub fn fall_back_to_simulated(&mut self) -> Option<Url> {
        let simulated = self
            .simulated_model_url
            .clone()
            .filter(|_| !self.is_configured())?;
        self.answer_by(&simulated);
        Some(simulated)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::config::{WorkerRole, defaults};

    fn keys() -> ProviderKeys {
        let mut keys = defaults::<WorkerRole>().unwrap().keys;
        keys.simulated_model_url = Some("http://model:8091/v1".parse().unwrap());
        keys
    }

    #[test]
    fn the_simulated_model_answers_while_nothing_is_configured() {
        let mut keys = keys();
        let url = keys.fall_back_to_simulated();
        assert_eq!(url, keys.simulated_model_url);
        assert_eq!(url, keys.openai_base_url);
        assert!(keys.openai_api_key.is_some() && keys.xai_api_key.is_some());
    }

    #[test]
    fn a_provider_of_any_kind_comes_before_the_simulated_model() {
        let set: [fn(&mut ProviderKeys); 3] = [
            |keys| keys.anthropic_api_key = Some("key".into()),
            |keys| keys.openai_base_url = "http://vllm:8000/v1".parse().ok(),
            |keys| keys.ollama_host = Some("ollama:11434".to_owned()),
        ];
        for set in set {
            let mut keys = keys();
            set(&mut keys);
            assert_eq!(keys.fall_back_to_simulated(), None);
            assert!(keys.xai_api_key.is_none());
        }
    }
}
