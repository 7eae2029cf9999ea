//! From the configuration to what the worker runs.
//!
//! Called by `main` and by `factorial dev`; both serve the same agents the same way.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use factorial_agent::{
    AgentDefinition, ClientError, FunctionRegistry, HttpClients, Keys, LlmAgent, LoadErrors,
    McpServers, Provider, ProviderSettings, Providers, Resources, RetryPolicy, load_checked,
};
use factorial_core::InvalidName;
use factorial_service::config::{ProviderKeys, RecoveryConfig, WorkerConfig};
pub use factorial_service::store_options;
use secrecy::SecretString;

use crate::{
    options::{RunnerOptions, WorkerOptions},
    runner::Runner,
};

/// Why the agents cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Agent files are wrong.
    #[error("{0}")]
    Load(#[from] LoadErrors),
    /// An agent cannot be built here.
    #[error("{0}")]
    Build(#[from] factorial_agent::BuildError),
    /// TLS cannot be set up.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// A name cannot be part of a key.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// Settings for an agent that is not served.
    #[error("worker.runners.{0}: no agent of this name is loaded")]
    UnknownRunner(String),
}

/// Addresses and keys of the model providers. `variables`: other secrets that agent files may name.
#[must_use]
pub fn providers(keys: &ProviderKeys, variables: Arc<dyn Keys>) -> Providers {
    let entry = |base_url: Option<String>, key: &Option<SecretString>| ProviderSettings {
        base_url,
        key: key.clone(),
    };
    let settings = BTreeMap::from([
        (
            Provider::Openai,
            entry(
                keys.openai_base_url.as_ref().map(ToString::to_string),
                &keys.openai_api_key,
            ),
        ),
        (
            Provider::Xai,
            entry(
                keys.xai_base_url.as_ref().map(ToString::to_string),
                &keys.xai_api_key,
            ),
        ),
        (Provider::Anthropic, entry(None, &keys.anthropic_api_key)),
        (Provider::Gemini, entry(None, &keys.gemini_api_key)),
        (Provider::Fireworks, entry(None, &keys.fireworks_api_key)),
        (
            Provider::Ollama,
            entry(keys.ollama_host.as_deref().map(ollama_url), &None),
        ),
    ]);
    Providers {
        settings,
        keys: variables,
    }
}

/// `OLLAMA_HOST` is a URL, or `host:port` as Ollama itself takes it.
fn ollama_url(host: &str) -> String {
    if host.contains("://") {
        host.to_owned()
    } else {
        format!("http://{host}")
    }
}

/// Settings of the process.
#[must_use]
pub fn worker_options(
    host: &str,
    pid: u32,
    worker: &WorkerConfig,
    recovery: &RecoveryConfig,
) -> WorkerOptions {
    WorkerOptions {
        host: host.to_owned(),
        pid,
        heartbeat_interval: recovery.heartbeat_interval,
        lease: recovery.lease(),
        grace: worker.grace_period_seconds,
        max_descendants: worker.max_descendants,
        public_url: worker.public_url.clone(),
    }
}

/// The functions that agent files may name.
#[must_use]
pub fn functions(clock: impl Fn() -> jiff::Timestamp + Send + Sync + 'static) -> FunctionRegistry {
    FunctionRegistry::with_builtins(clock)
}

/// Loads the agent files and makes a runner of each.
///
/// # Errors
/// All problems of all files at once.
pub fn runners(
    config: &WorkerConfig,
    providers: Providers,
    functions: FunctionRegistry,
) -> Result<Vec<Runner>, SetupError> {
    let resources = Resources {
        http: HttpClients::new()?,
        functions,
        providers,
        mcp: McpServers::default(),
    };
    let definitions = load_checked(&config.agents, &resources)?;
    if let Some(unknown) = config
        .runners
        .keys()
        .find(|n| !definitions.iter().any(|d| d.name.as_str() == *n))
    {
        return Err(SetupError::UnknownRunner(unknown.clone()));
    }
    let runner = |definition: AgentDefinition| {
        let options = runner_options(config, &definition);
        Ok(Runner::new(
            Arc::new(LlmAgent::build(definition, &resources)?),
            options,
        )?)
    };
    definitions.into_iter().map(runner).collect()
}

/// The configuration's runner, over the agent file, over the worker's common settings.
fn runner_options(config: &WorkerConfig, definition: &AgentDefinition) -> RunnerOptions {
    let own = &definition.worker;
    let runner = config.runners.get(definition.name.as_str());
    let workers = runner
        .and_then(|r| r.workers)
        .or(own.workers)
        .unwrap_or(config.workers);
    let batch_size = runner
        .and_then(|r| r.batch_size)
        .or(own.batch_size)
        .unwrap_or(config.batch_size);
    let max_retries = runner
        .and_then(|r| r.max_retries)
        .or(definition.retry.max_retries)
        .unwrap_or(config.max_retries);
    RunnerOptions {
        slots: workers.saturating_mul(batch_size),
        turn_timeout: runner
            .and_then(|r| r.turn_timeout)
            .or(own
                .turn_timeout_seconds
                .and_then(|s| Duration::try_from_secs_f64(s).ok()))
            .unwrap_or(config.turn_timeout),
        retry: RetryPolicy {
            max_retries,
            ..definition.retry.applied_to(RetryPolicy::default())
        },
    }
}
