//! A namespace of one repeat, on the server of the run, and the processes in it.
//!
//! Invariant: every repeat has a namespace of its own, so that counts in Redis are those of its tasks alone.

use std::collections::HashMap;
use std::path::Path;

use factorial_core::{
    AgentAnnouncement, AgentName, Namespace, Store, StoreOptions, TaskId, segments,
};

use crate::error::BenchError;
use crate::options::{Options, Surroundings};
use crate::process::RoleProcess;
use crate::progress::Progress;
use crate::role::Spec;
use crate::server::Server;

/// Where a scenario runs once.
pub(crate) struct Stage<'a> {
    pub(crate) options: &'a Options,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) server: &'a Server,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) store: Store,
    namespace: Namespace,
    dir: &'a Path,
}

impl<'a> Stage<'a> {
    /// Opens a fresh namespace. `dir` takes the logs.
    ///
    /// # Errors
    /// When Redis cannot be used.
    pub(crate) async fn open(
        options: &'a Options,
        surroundings: &'a Surroundings,
        server: &'a Server,
        progress: &'a dyn Progress,
        dir: &'a Path,
    ) -> Result<Self, BenchError> {
        // As long as the default namespace, since it is a part of every key. The end of an id is the random part.
        let unique = (surroundings.unique)().to_string().to_ascii_lowercase();
        let namespace = Namespace::new(format!("b{}", &unique[unique.len() - 8..]))?;
        let mut store = StoreOptions::new(server.url(), namespace.clone());
        store.partitions = Some(options.partitions);
        let store = Store::connect(&store).await?;
        Ok(Self {
            options,
            surroundings,
            server,
            progress,
            store,
            namespace,
            dir,
        })
    }

    /// Start of the keys of the ceilings, in the namespace's own.
    pub(crate) fn ceiling_base(&self) -> String {
        format!("{{{}:ceiling}}:", self.namespace)
    }

    /// The text of a task's query.
    pub(crate) fn payload(&self) -> String {
        "x".repeat(self.options.payload_bytes)
    }

    /// Fresh ids, over all partitions in turn.
    pub(crate) fn ids(&self, tasks: u64) -> Vec<TaskId> {
        let partitions: Vec<_> = self.store.all_partitions().collect();
        let count = usize::try_from(tasks).unwrap_or(usize::MAX);
        let turns = partitions.into_iter().cycle();
        turns
            .take(count)
            .map(|partition| TaskId::new(partition, (self.surroundings.unique)()))
            .collect()
    }

    /// Makes an agent known, as a worker that has been there before would have.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn announce(&self, agent: &AgentName) -> Result<(), BenchError> {
        let worker = factorial_core::WorkerAnnouncement {
            id: factorial_core::WorkerId::new("bench-before")?,
            host: "bench".to_owned(),
            pid: 0,
            version: String::new(),
            started_ms: 0,
            seen_ms: 0,
            draining: true,
            agents: Vec::new(),
        };
        let agent = AgentAnnouncement {
            name: agent.clone(),
            description: None,
            version: String::new(),
            model: None,
            tools: Vec::new(),
            approvals: std::collections::BTreeMap::new(),
            context_schema: None,
            definition: None,
            seen_ms: 0,
        };
        let ttl = std::time::Duration::from_secs(1);
        self.store.announce(&worker, &[agent], ttl).await?;
        Ok(self.store.retire(&worker.id).await?)
    }

    /// Starts a worker with so many slots, and waits until it claims.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn worker(
        &self,
        slots: usize,
        model_url: Option<String>,
    ) -> Result<RoleProcess, BenchError> {
        self.serve(slots, model_url, false).await
    }

    /// The same, of the agent whose calls are answered from outside alone.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn deferring_worker(
        &self,
        slots: usize,
        model_url: String,
    ) -> Result<RoleProcess, BenchError> {
        self.serve(slots, Some(model_url), true).await
    }

    async fn serve(
        &self,
        slots: usize,
        model_url: Option<String>,
        deferring: bool,
    ) -> Result<RoleProcess, BenchError> {
        let spec = Spec::Worker {
            redis_url: self.server.url().to_owned(),
            namespace: self.namespace.clone(),
            slots: u32::try_from(slots).unwrap_or(u32::MAX),
            model_url,
            deferring,
        };
        RoleProcess::start(self.surroundings, &spec, self.dir).await
    }

    /// Starts a reaper, and waits until it works. Ended tasks stay for so many seconds; as long as usual when absent.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn reaper(&self, ended_ttl: Option<u64>) -> Result<RoleProcess, BenchError> {
        let spec = Spec::Reaper {
            redis_url: self.server.url().to_owned(),
            namespace: self.namespace.clone(),
            ended_ttl,
        };
        RoleProcess::start(self.surroundings, &spec, self.dir).await
    }

    /// When the lease of each running task ends, ms since the Unix epoch, by Redis.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn lease_ends(&self) -> Result<HashMap<TaskId, u64>, BenchError> {
        let keys = self.store.keys();
        let mut ends = HashMap::new();
        for partition in self.store.all_partitions() {
            let key = keys.place(partition, segments::LEASE);
            for (id, at) in self.server.scores(&key).await? {
                ends.insert(id.parse()?, at);
            }
        }
        Ok(ends)
    }

    /// Starts a gateway, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn gateway(&self) -> Result<RoleProcess, BenchError> {
        let spec = Spec::Gateway {
            redis_url: self.server.url().to_owned(),
            namespace: self.namespace.clone(),
        };
        RoleProcess::start(self.surroundings, &spec, self.dir).await
    }

    /// Removes everything that was written.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn clear(&self) -> Result<(), BenchError> {
        self.server.clear(&self.namespace).await
    }
}
