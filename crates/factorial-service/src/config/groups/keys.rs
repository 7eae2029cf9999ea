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
    }
}
