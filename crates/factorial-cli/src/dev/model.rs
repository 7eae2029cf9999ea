//! Which models `factorial dev` uses.
//!
//! Invariant: without a key nothing is sent to anybody but this machine, and the banner says who answers.

use std::time::Duration;

use factorial_agent::{ModelSpec, Provider};
use factorial_service::config::ProviderKeys;
use factorial_sim::{Behaviour, Sim, SimConfig};
use url::Url;

use super::args::ModelChoice;
use super::error::DevError;
use super::ollama::{self, Found};

/// Slow enough to see that text comes in pieces.
const TOKEN_DELAY: Duration = Duration::from_millis(15);

/// Who answers.
pub(crate) enum Model {
    /// The providers that are configured; the names are for people.
    Configured(Vec<String>),
    /// A local Ollama, with one of its models for all agents.
    Ollama { address: Url, name: String },
    /// The simulated model, and why.
    Simulated(Sim, String),
}

impl Model {
    /// Chooses, and fills `keys` accordingly.
    ///
    /// # Errors
    /// When the simulated model cannot start.
    pub(crate) async fn choose(
        choice: ModelChoice,
        keys: &mut ProviderKeys,
    ) -> Result<Self, DevError> {
        if choice == ModelChoice::Simulated {
            return simulated(keys, "chosen with --model".to_owned()).await;
        }
        if let Some(url) = keys.fall_back_to_simulated() {
            return Ok(Self::Configured(vec![format!(
                "simulated, at {}",
                short(&url)
            )]));
        }
        let configured = configured(keys);
        if !configured.is_empty() {
            return Ok(Self::Configured(configured));
        }
        let Some(address) = ollama::address(keys.ollama_host.as_deref()) else {
            return simulated(
                keys,
                "no API key is set, and OLLAMA_HOST is no address".to_owned(),
            )
            .await;
        };
        match ollama::look(&address).await {
            Found::Model { base_url, name } => {
                keys.openai_base_url = Some(base_url);
                keys.openai_api_key = Some(ProviderKeys::NO_KEY.into());
                Ok(Self::Ollama { address, name })
            }
            Found::NoModel => {
                let why = "no API key is set, and the local Ollama has no model that can chat";
                simulated(keys, why.to_owned()).await
            }
            Found::Nobody => {
                let place = short(&address);
                let why = format!("no API key is set, and no Ollama answers at {place}");
                simulated(keys, why).await
            }
        }
    }

    /// What agents that name a provider's model get instead, where that provider is out of reach.
    pub(crate) fn instead(&self) -> Option<ModelSpec> {
        match self {
            Self::Ollama { name, .. } => Some(ModelSpec::new(Provider::Openai, name.clone())),
            Self::Configured(_) | Self::Simulated(..) => None,
        }
    }

    /// Base URL of the simulated model's API.
    pub(crate) fn simulated_url(&self) -> Option<String> {
        match self {
            Self::Simulated(sim, _) => Some(sim.base_url()),
            Self::Configured(_) | Self::Ollama { .. } => None,
        }
    }

    /// What it is.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Configured(names) => names.join(", "),
            Self::Ollama { address, name } => {
                format!("{name} of the Ollama at {}, for all agents", short(address))
            }
            Self::Simulated(_, why) => format!(
                "simulated ({why}). Replies are made up; set OPENAI_API_KEY, XAI_API_KEY or \
                 OPENAI_BASE_URL for real ones."
            ),
        }
    }
}

async fn simulated(keys: &mut ProviderKeys, why: String) -> Result<Model, DevError> {
    let config = SimConfig {
        behaviour: Behaviour {
            token_delay_ms: u64::try_from(TOKEN_DELAY.as_millis()).ok(),
            ..Behaviour::default()
        },
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(DevError::Model)?;
    if let Ok(base_url) = Url::parse(&sim.base_url()) {
        keys.answer_by(&base_url);
    }
    Ok(Model::Simulated(sim, why))
}

/// The providers that have a key or an address.
fn configured(keys: &ProviderKeys) -> Vec<String> {
    let at = |name: &str, url: &Option<Url>| match url {
        Some(url) => format!("{name} at {}", short(url)),
        None => name.to_owned(),
    };
    let providers = [
        (
            keys.openai_api_key.is_some() || keys.openai_base_url.is_some(),
            at("OpenAI", &keys.openai_base_url).replace("OpenAI at", "OpenAI-compatible server at"),
        ),
        (
            keys.xai_api_key.is_some() || keys.xai_base_url.is_some(),
            at("xAI", &keys.xai_base_url),
        ),
        (keys.anthropic_api_key.is_some(), "Anthropic".to_owned()),
        (keys.gemini_api_key.is_some(), "Gemini".to_owned()),
        (keys.fireworks_api_key.is_some(), "Fireworks".to_owned()),
    ];
    providers
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect()
}

/// Host and port; the rest may hold a secret.
fn short(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
