//! One `factorial dev`, from the settings to the last line.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use factorial_core::Store;
use factorial_gateway::Tls;
use factorial_service::config::{DevRole, Environment};
use factorial_service::{Health, Shutdown, run_admin, telemetry, trace};
use metrics_exporter_prometheus::PrometheusHandle;

use super::agents::Agents;
use super::args::DevArgs;
use super::banner::Banner;
use super::error::DevError;
use super::model::Model;
use super::place::{Addresses, Place};
use super::ports::{Port, Ports};
use super::redis::Redis;
use super::roles::{Accesses, Parts, make_runners, names};
use super::stages::Stages;
use crate::config::own_command;
use crate::output::Printer;

/// Between two looks at the private Redis.
const LOOK: Duration = Duration::from_secs(1);

/// Runs everything until it is told to stop.
///
/// # Errors
/// Why it did not start, or ended by itself. What had started has been stopped.
pub(crate) async fn run(
    args: DevArgs,
    environment: &Environment,
    printer: &Printer,
) -> Result<(), DevError> {
    let (mut role, given) = args.settings.load(environment)?;
    let metrics = telemetry::init(&role.log, "factorial-dev")?;
    let traces = trace::start(&role.telemetry, "factorial-dev")?;
    let user = Shutdown::from_signals().map_err(DevError::Signals)?;
    let place = Place::take(&args.data_dir)?;
    let tls = Tls::load(&role.tls)?;
    let ports = Ports::bind(&role).await?;
    // Who tries things out here has receivers on this machine, and nobody else can submit.
    let alone = ports.gateway.is_loopback();
    role.webhooks.allow_private_networks.get_or_insert(alone);
    let dashboard = ports.dashboard.as_ref();
    let hidden = alone && dashboard.is_none_or(Port::is_loopback);
    role.auth.enabled &= given.auth() || !hidden;
    let access = Accesses::new(&role.auth, &ports)?;
    let model = Model::choose(args.model, &mut role.keys).await?;
    let agents = Agents::find(
        &role.worker.agents,
        Path::new(""),
        &place,
        &role.keys,
        model.instead().as_ref(),
    )?;
    let redis_dir = place.dir().join("redis");
    let redis = Redis::find(&role, args.redis, &given, &redis_dir).await?;
    let mut session = Session {
        role,
        access,
        tls,
        agents,
        model,
        redis,
        stages: Stages::default(),
        user,
        place,
        printer: *printer,
    };
    let served = session.serve(ports, metrics, environment).await;
    let stopped = session.stop(&redis_dir).await;
    traces.flush().await;
    served.and(stopped)
}

/// What has been started.
struct Session {
    role: DevRole,
    access: Accesses,
    tls: Option<Tls>,
    agents: Agents,
    model: Model,
    redis: Redis,
    stages: Stages,
    user: Shutdown,
    place: Place,
    printer: Printer,
}

impl Session {
    /// Starts the roles, tells where they are, and waits for the end.
    async fn serve(
        &mut self,
        ports: Ports,
        metrics: PrometheusHandle,
        environment: &Environment,
    ) -> Result<(), DevError> {
        let runners = make_runners(&self.role, &self.agents, environment)?;
        let store = self.redis.connect().await?;
        let tasks = tasks_by_state(&store).await?;
        let health = Health::new();
        let addresses = self.addresses(&ports);
        let parts = Parts {
            role: &self.role,
            store_options: self.redis.options(),
            store,
            health: &health,
            runners,
            access: &self.access,
            tls: self.tls.clone(),
        };
        let admin = parts.start(ports, &mut self.stages, &self.user).await?;
        // Last in the order of the end: it can be asked while the others drain.
        self.serve_admin(admin, health, metrics).await;
        if self.user.drain.is_cancelled() {
            return Ok(());
        }
        self.place.tell(&addresses)?;
        self.greet(&addresses, tasks)?;
        let result = tokio::select! {
            () = self.user.drain.cancelled() => Ok(()),
            error = self.stages.ended() => Err(error),
            error = redis_ended(&mut self.redis) => Err(error),
        };
        self.place.forget_addresses();
        result
    }

    fn addresses(&self, ports: &Ports) -> Addresses {
        Addresses {
            pid: std::process::id(),
            gateway: ports.gateway.url.clone(),
            dashboard: ports.dashboard.as_ref().map(|port| port.url.clone()),
            admin: ports.admin.url.clone(),
            redis: self.redis.private_url(),
            redis_pid: self.redis.private_pid(),
            simulated_model: self.model.simulated_url(),
            agents: names(&self.agents.definitions),
        }
    }

    fn greet(
        &self,
        addresses: &Addresses,
        tasks: Vec<(&'static str, u64)>,
    ) -> Result<(), DevError> {
        let redis_dir = self.place.dir().join("redis");
        let command = std::env::current_dir()
            .map_or_else(|_| "factorial".to_owned(), |current| own_command(&current));
        let banner = Banner {
            addresses,
            redis: self.redis.describe(&self.role, &redis_dir),
            model: self.model.describe(),
            access: self.access.describe(),
            needs_key: self.access.gateway.is_enabled(),
            agents: &self.agents.definitions,
            origin: &self.agents.origin,
            webhooks_go_anywhere: self.role.webhooks.allow_private_networks == Some(true),
            tasks,
            command: &command,
        };
        let text = banner.render(self.printer.out);
        self.printer.write(&text).map_err(DevError::Output)
    }

    async fn serve_admin(&mut self, port: Port, health: Health, metrics: PrometheusHandle) {
        let shutdown = Shutdown::new();
        let stop = shutdown.drain.clone();
        let work = async move {
            run_admin(port.listener, health, metrics, stop)
                .await
                .map_err(|error| error.to_string())
        };
        self.stages.start("admin port", shutdown, work).await;
    }

    /// Stops what has been started, in order; a private Redis last.
    async fn stop(mut self, redis_dir: &Path) -> Result<(), DevError> {
        if !self.stages.is_empty() {
            self.printer.note(&self.farewell());
        }
        self.stages.stop(&self.user, &self.printer).await;
        if let Model::Simulated(sim, _) = self.model {
            sim.stop().await;
        }
        match self.redis.stop().await {
            Ok(true) => {
                let line = format!("  Redis stopped; tasks are kept in {}", redis_dir.display());
                self.printer.note(&line);
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => Err(DevError::RedisStop(error)),
        }
    }

    fn farewell(&self) -> String {
        let seconds = self.role.worker.grace_period_seconds.as_secs();
        format!(
            "\nStopping: open runs may finish their turn, for {seconds} s at most. Ctrl-C again stops at once."
        )
    }
}

async fn redis_ended(redis: &mut Redis) -> DevError {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(dir) = redis.has_ended() {
            return DevError::RedisEnded { dir };
        }
    }
}

/// How many tasks are there, by state; states without any are left out.
async fn tasks_by_state(store: &Store) -> Result<Vec<(&'static str, u64)>, DevError> {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    for ((_, state), n) in store.counts().await? {
        *sums.entry(state.as_str()).or_default() += n;
    }
    Ok(sums.into_iter().filter(|(_, n)| *n > 0).collect())
}
