//! Who is there: workers, and the agents that they have announced. An agent stays known while its workers are away.

use std::time::Duration;

use std::collections::BTreeMap;

use deadpool_redis::redis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::StoreError,
    ids::{AgentName, WorkerId},
    script::Reply,
    store::Store,
};

/// An agent as a worker announces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAnnouncement {
    /// Its name.
    pub name: AgentName,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Hash of its definition.
    pub version: String,
    /// `provider/model`.
    #[serde(default)]
    pub model: Option<String>,
    /// Names of its tools.
    #[serde(default)]
    pub tools: Vec<String>,
    /// JSON Schemas of the arguments of those tools that may need an approval, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<String, Value>,
    /// JSON Schema of the context of its submissions: gateways judge them by the one announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_schema: Option<Value>,
    /// What may be shown of its definition; no secrets.
    /// Kept apart, for it is long and seldom read: [`Store::definition`].
    #[serde(skip)]
    pub definition: Option<Value>,
    /// ms since the Unix epoch, by Redis; set by [`Store::announce`].
    #[serde(default)]
    pub seen_ms: u64,
}

/// An agent's slots in a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerAgentSlots {
    /// The agent.
    pub name: AgentName,
    /// Tasks that may run at once.
    pub slots: u32,
    /// Tasks that run now.
    pub running: u32,
}

/// A worker as it announces itself with every heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerAnnouncement {
    /// Unique per start.
    pub id: WorkerId,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Version of the software.
    pub version: String,
    /// ms since the Unix epoch, by Redis.
    pub started_ms: u64,
    /// ms since the Unix epoch, by Redis; set by [`Store::announce`].
    #[serde(default)]
    pub seen_ms: u64,
    /// Takes nothing new.
    pub draining: bool,
    /// What it serves.
    pub agents: Vec<WorkerAgentSlots>,
}

impl Store {
    /// Announces a worker for `ttl`, and its agents for good.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn announce(
        &self,
        worker: &WorkerAnnouncement,
        agents: &[AgentAnnouncement],
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let now = self.now_ms().await?;
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let encode = |e: serde_json::Error| StoreError::corrupt("announcement", e.to_string());
        let worker = WorkerAnnouncement {
            seen_ms: now,
            ..worker.clone()
        };
        let mut pipe = redis::pipe();
        pipe.cmd("SET")
            .arg(self.0.keys.worker(&worker.id))
            .arg(serde_json::to_string(&worker).map_err(encode)?)
            .arg("PX")
            .arg(ttl_ms);
        pipe.cmd("ZADD")
            .arg(self.0.keys.workers())
            .arg(now + ttl_ms)
            .arg(worker.id.as_str());
        let mut set = redis::cmd("HSET");
        set.arg(self.0.keys.agents());
        for agent in agents {
            if let Some(definition) = &agent.definition {
                pipe.cmd("HSET")
                    .arg(self.0.keys.definitions())
                    .arg(agent.name.as_str())
                    .arg(definition.to_string());
            }
            let agent = AgentAnnouncement {
                seen_ms: now,
                ..agent.clone()
            };
            set.arg(agent.name.as_str())
                .arg(serde_json::to_string(&agent).map_err(encode)?);
        }
        if !agents.is_empty() {
            pipe.add_command(set);
        }
        self.0.link.pipeline(&pipe).await.map(drop)
    }

    /// Takes a worker off the list at its end.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn retire(&self, worker: &WorkerId) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("DEL").arg(self.0.keys.worker(worker));
        pipe.cmd("ZREM")
            .arg(self.0.keys.workers())
            .arg(worker.as_str());
        self.0.link.pipeline(&pipe).await.map(drop)
    }

    /// All agents that were ever announced.
    ///
    /// # Errors
    /// When Redis does not answer, or an announcement cannot be read.
    pub async fn agents(&self) -> Result<Vec<AgentAnnouncement>, StoreError> {
        let mut cmd = redis::cmd("HVALS");
        cmd.arg(self.0.keys.agents());
        let mut agents: Vec<AgentAnnouncement> = decode(&self.list("agent", &cmd).await?)?;
        agents.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(agents)
    }

    /// Names of all agents that were ever announced, sorted.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn agent_names(&self) -> Result<Vec<AgentName>, StoreError> {
        let mut cmd = redis::cmd("HKEYS");
        cmd.arg(self.0.keys.agents());
        let mut names = Vec::new();
        for name in self.list("agent", &cmd).await? {
            names.push(AgentName::new(&name).map_err(|_| StoreError::corrupt("agent", name))?);
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What may be shown of the definition of an agent, if it was announced.
    ///
    /// # Errors
    /// When Redis does not answer, or what is there cannot be read.
    pub async fn definition(&self, agent: &AgentName) -> Result<Option<Value>, StoreError> {
        let mut cmd = redis::cmd("HGET");
        cmd.arg(self.0.keys.definitions()).arg(agent.as_str());
        let mut reply = Reply::new("definition", vec![self.0.link.command(&cmd).await?]);
        let text = reply.text_or_nil()?;
        text.map(|text| {
            serde_json::from_str(&text)
                .map_err(|e| StoreError::corrupt("definition", e.to_string()))
        })
        .transpose()
    }

    /// Workers whose heartbeat has not lapsed.
    ///
    /// # Errors
    /// When Redis does not answer, or an announcement cannot be read.
    pub async fn workers(&self) -> Result<Vec<WorkerAnnouncement>, StoreError> {
        let now = self.now_ms().await?;
        let mut pipe = redis::pipe();
        pipe.cmd("ZREMRANGEBYSCORE")
            .arg(self.0.keys.workers())
            .arg("-inf")
            .arg(now)
            .ignore();
        pipe.cmd("ZRANGE")
            .arg(self.0.keys.workers())
            .arg(0)
            .arg(9_999);
        let mut replies = Reply::new("worker", self.0.link.pipeline(&pipe).await?);
        replies.value()?;
        let ids = replies.array()?.texts()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("MGET");
        for id in ids {
            get.arg(
                self.0.keys.worker(
                    &id.parse()
                        .map_err(|_| StoreError::corrupt("worker", id.clone()))?,
                ),
            );
        }
        let mut values = Reply::new("worker", vec![self.0.link.command(&get).await?]).array()?;
        let mut texts = Vec::new();
        while !values.is_empty() {
            match values.value()? {
                redis::Value::Nil => {}
                other => texts.push(
                    crate::script::text(other).map_err(|e| StoreError::corrupt("worker", e))?,
                ),
            }
        }
        decode(&texts)
    }
}

fn decode<T: serde::de::DeserializeOwned>(texts: &[String]) -> Result<Vec<T>, StoreError> {
    texts
        .iter()
        .map(|t| {
            serde_json::from_str(t).map_err(|e| StoreError::corrupt("announcement", e.to_string()))
        })
        .collect()
}
