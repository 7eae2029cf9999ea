//! `pause.lua`: pauses an agent, or resumes it.

use std::collections::BTreeSet;

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::AgentName,
    script::{Reply, Script, script},
    segments,
    store::Store,
};

static PAUSE: Script = script!("pause");

impl Store {
    /// Pauses an agent, or resumes it: while it is paused its tasks are accepted and wait, and those that run go on.
    ///
    /// # Errors
    /// When Redis does not answer. Then some partitions may be paused and others not: the call is to be repeated.
    pub async fn set_paused(&self, agent: &AgentName, paused: bool) -> Result<(), StoreError> {
        for partition in self.all_partitions() {
            let mut reply = PAUSE
                .on(&self.base(partition))
                .arg(agent.as_str())
                .arg(if paused { "1" } else { "" })
                .run(&self.0.link)
                .await?;
            match reply.text()?.as_str() {
                "ok" => {}
                other => return Err(reply.corrupt(other)),
            }
        }
        Ok(())
    }

    /// Which of these agents are paused, in whatever partition.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn paused<'a>(
        &self,
        agents: impl IntoIterator<Item = &'a AgentName>,
    ) -> Result<BTreeSet<AgentName>, StoreError> {
        let agents: Vec<&AgentName> = agents.into_iter().collect();
        if agents.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut pipe = redis::pipe();
        for partition in self.all_partitions() {
            let get = pipe.cmd("HMGET").arg(self.0.keys.seq(partition));
            for agent in &agents {
                get.arg(format!("{}{agent}", segments::PAUSED));
            }
        }
        let mut replies = Reply::new("paused", self.0.link.pipeline(&pipe).await?);
        let mut paused = BTreeSet::new();
        for _ in self.all_partitions() {
            let mut marks = replies.array()?;
            for agent in &agents {
                if marks.text_or_nil()?.is_some() {
                    paused.insert((*agent).clone());
                }
            }
        }
        Ok(paused)
    }
}
