//! A system of a test's own, from start to its last check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use factorial_core::{
    AgentAnnouncement, ListFilter, Namespace, Store, StoreOptions, TaskId, TaskState, Walk,
    WorkerAnnouncement,
};
use factorial_sim::Sim;
use tempfile::TempDir;

use super::{front::Front, process::Process, proxy::Proxy, runs::pid_of, setup::Setup};
use crate::{eventually, invariants, redis::TestRedis, served::Served};

/// How long a service may take to start.
const START: Duration = Duration::from_secs(20);

/// What a reaper says when it had to repair something.
const REPAIRED: &str = "tasks were not where their state says";

/// Redis, a gateway, reapers, workers, and the model.
pub struct System {
    setup: Setup,
    served: Arc<dyn Served>,
    pub(super) store: Store,
    pub(super) sim: Sim,
    pub(super) front: Front,
    processes: Mutex<Vec<Arc<Process>>>,
    pub(super) accepted: Mutex<BTreeSet<TaskId>>,
    finished: bool,
    // After the processes, so that their logs can be shown.
    dir: TempDir,
}

impl System {
    /// Starts everything but workers.
    ///
    /// # Panics
    /// When a part does not start.
    pub async fn start(setup: Setup) -> Self {
        let setup = match &setup.served {
            Some(_) => setup,
            None => {
                let shared = tokio::task::spawn_blocking(TestRedis::shared).await;
                setup.redis(shared.expect("redis starts"))
            }
        };
        let served = setup.served.clone().expect("it was set just now");
        let namespace =
            Namespace::new(format!("s{:016x}", rand::random::<u64>())).expect("a valid name");
        let options = StoreOptions {
            partitions: setup.partitions,
            tls: served.tls(),
            ..StoreOptions::new(served.url(), namespace)
        };
        let store = Store::connect(&options).await.expect("the namespace opens");
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("agents")).expect("a directory");
        for agent in &setup.agents {
            let name = agent["name"].as_str().expect("agents have names");
            // JSON is YAML.
            let text = serde_json::to_string_pretty(agent).expect("JSON");
            fs::write(dir.path().join("agents").join(format!("{name}.yaml")), text)
                .expect("an agent file");
        }
        let sim = Sim::start(setup.sim())
            .await
            .expect("the simulated model starts");
        let system = Self {
            front: Front::new(),
            setup,
            served,
            store,
            sim,
            processes: Mutex::default(),
            accepted: Mutex::default(),
            finished: false,
            dir,
        };
        system.announce().await;
        system.start_gateway().await;
        for _ in 0..system.setup.reapers {
            system.start_reaper().await;
        }
        system
    }

    /// Puts another agent file in place of the one of the same name; workers that start later load it.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn replace_agent(&self, agent: &serde_json::Value) {
        let name = agent["name"].as_str().expect("agents have names");
        let file = self.dir.path().join("agents").join(format!("{name}.yaml"));
        fs::write(file, agent.to_string()).expect("an agent file");
    }

    /// Makes the agents known, as a worker that has been there before would have.
    async fn announce(&self) {
        let worker = WorkerAnnouncement {
            id: "before-0-x".parse().expect("a valid id"),
            host: "before".to_owned(),
            pid: 0,
            version: String::new(),
            started_ms: 0,
            seen_ms: 0,
            draining: true,
            agents: Vec::new(),
        };
        let agents = self.setup.agents.iter().map(|agent| AgentAnnouncement {
            name: agent["name"]
                .as_str()
                .unwrap_or_default()
                .parse()
                .expect("a valid name"),
            description: None,
            version: String::new(),
            model: None,
            tools: Vec::new(),
            approvals: std::collections::BTreeMap::new(),
            context_schema: None,
            definition: None,
            seen_ms: 0,
        });
        let agents: Vec<_> = agents.collect();
        self.store
            .announce(&worker, &agents, START)
            .await
            .expect("announced");
        self.store.retire(&worker.id).await.expect("retired");
    }

    /// Starts a gateway, on the same port as the one before, and waits until it listens.
    pub async fn start_gateway(&self) -> Arc<Process> {
        let mut args = self.setup.gateway.clone();
        args.extend(["--gateway-port".to_owned(), self.front.port.to_string()]);
        let gateway = self.launch("factorial-gateway", &args);
        let listens = || {
            self.alive(&gateway)
                .log()
                .contains("gateway listens")
                .then_some(())
        };
        eventually(START, || async { listens() }).await;
        gateway
    }

    fn launch(&self, program: &str, more: &[String]) -> Arc<Process> {
        self.launch_on(program, self.served.service_url(), more)
    }

    fn launch_on(&self, program: &str, redis_url: &str, more: &[String]) -> Arc<Process> {
        let mut processes = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let name = format!(
            "{}-{}",
            program.trim_start_matches("factorial-"),
            processes.len()
        );
        let mut args: Vec<String> = [
            ("--redis-url", redis_url),
            ("--namespace", self.store.namespace().as_str()),
            ("--admin-port", "0"),
            ("--log-format", "json"),
            ("--log-level", "info,factorial_core=debug"),
        ]
        .iter()
        .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()])
        .collect();
        args.extend_from_slice(&self.setup.every);
        args.extend_from_slice(more);
        let envs = [
            ("OPENAI_BASE_URL", self.sim.base_url()),
            ("OPENAI_API_KEY", "test".to_owned()),
        ];
        let process = Arc::new(Process::start(
            program,
            &name,
            &args,
            &envs,
            self.dir.path(),
        ));
        processes.push(Arc::clone(&process));
        process
    }

    /// Starts a reaper, and waits until it works.
    pub async fn start_reaper(&self) -> Arc<Process> {
        let args = [self.setup.common.clone(), self.setup.reaper.clone()].concat();
        let reaper = self.launch("factorial-reaper", &args);
        eventually(START, async || {
            self.alive(&reaper)
                .log()
                .contains("reaper started")
                .then_some(())
        })
        .await;
        reaper
    }

    fn worker_args(&self) -> Vec<String> {
        let agents = [
            "--agents".to_owned(),
            self.dir.path().join("agents").display().to_string(),
        ];
        [
            self.setup.common.clone(),
            self.setup.worker.clone(),
            agents.to_vec(),
        ]
        .concat()
    }

    /// Starts a worker without waiting for it.
    #[must_use]
    pub fn launch_worker(&self) -> Arc<Process> {
        self.launch("factorial-worker", &self.worker_args())
    }

    /// Starts a worker, and waits until it claims.
    pub async fn start_worker(&self) -> Arc<Process> {
        let worker = self.launch_worker();
        self.ready(&worker).await;
        worker
    }

    /// Starts a worker that reaches Redis through `proxy` alone, and waits until it claims.
    pub async fn start_worker_behind(&self, proxy: &Proxy) -> Arc<Process> {
        let worker = self.launch_on("factorial-worker", &proxy.url(), &self.worker_args());
        self.ready(&worker).await;
        worker
    }

    /// Waits until a worker claims.
    pub async fn ready(&self, worker: &Arc<Process>) {
        eventually(START, async || {
            self.alive(worker)
                .log()
                .contains("worker started")
                .then_some(())
        })
        .await;
    }

    fn alive<'a>(&self, process: &'a Arc<Process>) -> &'a Arc<Process> {
        assert!(
            process.ended().is_none(),
            "{} ended:\n{}",
            process.name(),
            process.log_tail()
        );
        process
    }

    /// Workers that run.
    #[must_use]
    pub fn workers(&self) -> Vec<Arc<Process>> {
        let mut running = self.running();
        running.retain(|p| p.name().starts_with("worker-"));
        running
    }

    /// Services that run.
    #[must_use]
    pub fn running(&self) -> Vec<Arc<Process>> {
        let processes = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        processes
            .iter()
            .filter(|p| p.ended().is_none())
            .cloned()
            .collect()
    }

    /// The running process of a worker id.
    #[must_use]
    pub fn worker_process(&self, worker: &str) -> Option<Arc<Process>> {
        let pid = pid_of(worker)?;
        self.running().into_iter().find(|p| p.pid() == pid)
    }

    /// The server.
    ///
    /// # Panics
    /// When it is something else than one server.
    #[must_use]
    pub fn redis(&self) -> &Arc<TestRedis> {
        self.setup.redis.as_ref().expect("one server")
    }

    /// The namespace, for looking.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The model.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Waits until every accepted task has ended, ends all processes, and checks the invariants.
    ///
    /// # Panics
    /// When a task does not end, or an invariant does not hold.
    pub async fn finish(mut self) {
        self.quiet(Duration::from_secs(60)).await;
        self.nothing_to_repair().await;
        self.spent_is_counted().await;
        for process in self.running() {
            process.kill9();
        }
        let (served, namespace) = (Arc::clone(&self.served), self.store.namespace().clone());
        let check = move || invariants::check(&mut served.connections(), &namespace);
        let violations = tokio::task::spawn_blocking(check)
            .await
            .expect("the check runs");
        self.finished = violations.is_empty();
        let mut text = String::new();
        for violation in &violations {
            let _ = writeln!(text, "{violation}");
        }
        assert!(violations.is_empty(), "invariants do not hold:\n{text}");
    }
}

impl System {
    /// What the timeline of an agent says of its models is the sum over its tasks, as long as none has expired.
    async fn spent_is_counted(&self) {
        let agents = self.store.agents().await.expect("agents");
        for agent in agents {
            let filter = ListFilter {
                agent: Some(agent.name.clone()),
                ..ListFilter::default()
            };
            let mut tasks = Vec::new();
            let mut cursor = None;
            loop {
                let page = self.store.list_tasks(&filter, &[], cursor.as_ref(), 200);
                let page = page.await.expect("tasks");
                tasks.extend(page.tasks);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let (mut enqueued, mut counted) = (0, BTreeMap::<String, (u64, u64)>::new());
            for bucket in self.store.timeline(&agent.name).await.expect("a timeline") {
                enqueued += bucket.counts.get("enqueued").copied().unwrap_or(0);
                for (model, used) in bucket.models {
                    let sum = counted.entry(model).or_default();
                    *sum = (sum.0 + used.input, sum.1 + used.output);
                }
            }
            let mut spent = BTreeMap::<String, (u64, u64)>::new();
            for (model, usage) in tasks.iter().flat_map(|task| &task.usage) {
                let sum = spent.entry(model.clone()).or_default();
                *sum = (sum.0 + usage.input, sum.1 + usage.output);
            }
            if enqueued == tasks.len() as u64 {
                assert_eq!(counted, spent, "tokens of {} by model", agent.name);
            }
        }
    }

    /// Reconciling finds nothing now, and the reapers have found nothing before.
    async fn nothing_to_repair(&self) {
        let agents = self.store.agents().await.expect("agents");
        let mut walks = vec![
            Walk::Leases,
            Walk::Delays,
            Walk::Pending,
            Walk::Awaits,
            Walk::Asked,
        ];
        let ends = TaskState::ALL.into_iter().filter(|s| s.is_terminal());
        walks.extend(ends.map(Walk::Done));
        walks.extend(agents.into_iter().map(|a| Walk::Agent(a.name)));
        for partition in self.store.all_partitions() {
            for walk in &walks {
                let mut cursor = None;
                loop {
                    let page = self
                        .store
                        .reconcile(partition, walk, cursor.as_deref(), 500)
                        .await;
                    let page = page.expect("reconciled");
                    assert_eq!(page.repaired, 0, "{walk:?} had to be repaired");
                    cursor = page.next;
                    if cursor.is_none() {
                        break;
                    }
                }
            }
        }
        let processes = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for process in processes.iter() {
            assert!(
                !process.log().contains(REPAIRED),
                "{} had to repair something",
                process.name()
            );
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let processes = self
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for process in processes.iter() {
            process.kill9();
        }
        if thread::panicking() {
            for process in processes.iter() {
                eprintln!(
                    "--- {} (pid {}):\n{}",
                    process.name(),
                    process.pid(),
                    process.log_tail()
                );
            }
        } else {
            assert!(self.finished, "a test of a system ends with System::finish");
        }
    }
}

/// Milliseconds since the Unix epoch by the clock of this machine, which is that of its Redis.
#[must_use]
pub fn unix_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
