//! Starts the roles in this process, each exactly as its own binary does.

use std::sync::Arc;
use std::time::Duration;

use factorial_agent::AgentDefinition;
use factorial_core::{Store, StoreOptions};
use factorial_dashboard::{Access, DashboardOptions, Tls};
use factorial_reaper::reaper_options;
use factorial_service::config::{AuthConfig, DevRole, Environment};
use factorial_service::{Health, Shutdown};
use factorial_worker::{Runner, functions, providers, runners, worker_id, worker_options};
use tokio::time::Instant;

use super::agents::Agents;
use super::error::DevError;
use super::ports::{Port, Ports};
use super::stages::Stages;

/// Shown where a host's name stands.
const HOST: &str = "localhost";
/// A gateway must not let its clients wait; a worker had better wait for Redis.
const WORKER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the roles may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// The agents as the worker runs them.
///
/// # Errors
/// What is wrong with them in this process: a key that is missing, a function that does not exist.
pub(crate) fn make_runners(
    role: &DevRole,
    agents: &Agents,
    environment: &Environment,
) -> Result<Vec<Runner>, DevError> {
    let environment = environment.clone();
    let keys = providers(
        &role.keys,
        Arc::new(move |name: &str| environment.secret(name)),
    );
    let mut config = role.worker.clone();
    config.agents.clone_from(&agents.paths);
    runners(&config, keys, functions(jiff::Timestamp::now)).map_err(|error| DevError::Agents {
        problems: error.to_string(),
        origin: agents.origin.clone(),
    })
}

/// Who may call what.
pub(crate) struct Accesses {
    pub(crate) gateway: Access,
    pub(crate) dashboard: Access,
}

impl Accesses {
    /// As the settings say, for these ports.
    ///
    /// # Errors
    /// When one would be open to anybody without having been asked to be.
    pub(crate) fn new(config: &AuthConfig, ports: &Ports) -> Result<Self, DevError> {
        let of = |port: &Port| Access::new(config, port.address);
        let gateway = of(&ports.gateway)?;
        let dashboard = ports.dashboard.as_ref().map(of).transpose()?;
        Ok(Self {
            dashboard: dashboard.unwrap_or_else(|| gateway.clone()),
            gateway,
        })
    }

    /// For people.
    pub(crate) fn describe(&self) -> String {
        let open = !self.gateway.is_enabled();
        if open && self.gateway.is_guarded() {
            "without a key: only this machine reaches it".to_owned()
        } else if open {
            "WITHOUT A KEY, for whoever reaches it (--insecure-no-auth)".to_owned()
        } else {
            "with an API key: `factorial keys create --redis-url URL` makes the first one"
                .to_owned()
        }
    }
}

/// Everything that the roles need.
pub(crate) struct Parts<'a> {
    pub(crate) role: &'a DevRole,
    pub(crate) store_options: &'a StoreOptions,
    pub(crate) store: Store,
    pub(crate) health: &'a Health,
    pub(crate) runners: Vec<Runner>,
    pub(crate) access: &'a Accesses,
    pub(crate) tls: Option<Tls>,
}

impl Parts<'_> {
    /// Starts all of them, and waits until they are ready or `user` asks to stop. What has started is in `stages`.
    /// Gives back the port that is nobody's here.
    ///
    /// # Errors
    /// When one ends, or is not ready in time.
    pub(crate) async fn start(
        mut self,
        ports: Ports,
        stages: &mut Stages,
        user: &Shutdown,
    ) -> Result<Port, DevError> {
        let health = self.health.clone();
        let docs = format!("{}/docs", ports.gateway.url);
        self.worker(&ports.gateway.url, stages).await?;
        self.reaper(stages).await;
        self.gateway(ports.gateway, stages).await;
        if let Some(port) = ports.dashboard {
            self.dashboard(port, docs, stages).await;
        }
        tokio::select! {
            error = stages.ended() => Err(error),
            ready = ready(&health) => ready.map(|()| ports.admin),
            () = user.drain.cancelled() => Ok(ports.admin),
        }
    }

    async fn worker(&mut self, gateway: &str, stages: &mut Stages) -> Result<(), DevError> {
        let (role, shutdown) = (self.role, Shutdown::new());
        let pid = std::process::id();
        let mut options = worker_options(HOST, pid, &role.worker, &role.recovery);
        // Deferred tools on this machine answer at the gateway that runs here.
        options.public_url = options.public_url.or_else(|| gateway.parse().ok());
        let id = worker_id("dev", pid, ulid::Ulid::generate())?;
        let mut store = self.store_options.clone();
        store.timeout = store.timeout.max(WORKER_TIMEOUT);
        let runners = std::mem::take(&mut self.runners);
        let (health, stop) = (self.health.clone(), shutdown.clone());
        let work = async move {
            factorial_worker::run(store, options, id, runners, &health, &stop)
                .await
                .map_err(|error| error.to_string())
        };
        stages.start("worker", shutdown, work).await;
        Ok(())
    }

    async fn reaper(&self, stages: &mut Stages) {
        let shutdown = Shutdown::new();
        let role = self.role;
        let options = reaper_options(&role.maintenance, &role.recovery, &role.webhooks);
        let (store, health, stop) = (self.store.clone(), self.health.clone(), shutdown.clone());
        let work = async move {
            factorial_reaper::run(store, options, &health, &stop)
                .await
                .map_err(|error| error.to_string())
        };
        stages.start("reaper", shutdown, work).await;
    }

    async fn gateway(&self, port: Port, stages: &mut Stages) {
        let shutdown = Shutdown::new();
        let ready = self.health.component("gateway");
        let (access, tls) = (self.access.gateway.clone(), self.tls.clone());
        let (config, store, stop) = (
            self.role.gateway.clone(),
            self.store.clone(),
            shutdown.clone(),
        );
        let work = async move {
            ready.ready(true);
            factorial_gateway::run(port.listener, store, &config, access, tls, &stop).await;
            ready.ready(false);
            Ok(())
        };
        stages.start("gateway", shutdown, work).await;
    }

    async fn dashboard(&self, port: Port, docs: String, stages: &mut Stages) {
        let shutdown = Shutdown::new();
        let options = DashboardOptions {
            name: self.role.observability.dashboard_name.clone(),
            api_docs: Some(docs),
            cors_origins: self
                .role
                .observability
                .cors_origins
                .iter()
                .map(|origin| origin.as_str().to_owned())
                .collect(),
        };
        let (access, tls) = (self.access.dashboard.clone(), self.tls.clone());
        let (store, health, stop) = (self.store.clone(), self.health.clone(), shutdown.clone());
        let work = async move {
            factorial_dashboard::run(port.listener, store, options, access, tls, &health, &stop)
                .await
                .map_err(|error| error.to_string())
        };
        stages.start("dashboard", shutdown, work).await;
    }
}

/// Waits until all components say that they are ready.
async fn ready(health: &Health) -> Result<(), DevError> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        match health.waiting_for() {
            Some(waiting) if waiting.is_empty() => return Ok(()),
            waiting if Instant::now() > deadline => {
                return Err(DevError::NotReady {
                    seconds: READY_WITHIN.as_secs(),
                    waiting: waiting.unwrap_or_default().join(", "),
                });
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

/// Names of the agents.
pub(crate) fn names(agents: &[AgentDefinition]) -> Vec<String> {
    agents
        .iter()
        .map(|agent| agent.name.as_str().to_owned())
        .collect()
}
