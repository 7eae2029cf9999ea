//! `keep_hour.lua`: keeps an hour of the timeline, summed up.

use crate::{
    error::StoreError,
    ids::AgentName,
    script::{Script, script},
    store::Store,
    timeline::{Bucket, HOURS_KEPT},
};

static KEEP_HOUR: Script = script!("keep_hour");

impl Store {
    /// Keeps an hour of the timeline of an agent for 8 days, unless it is kept already. Says whether it was not.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn keep_hour(&self, agent: &AgentName, hour: &Bucket) -> Result<bool, StoreError> {
        let mut reply = KEEP_HOUR
            .on_key(&self.0.keys.hour(agent, hour.start_ms))
            .arg(HOURS_KEPT.as_secs())
            .args(&hour.encode())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "kept" => Ok(true),
            "exists" => Ok(false),
            other => Err(reply.corrupt(other)),
        }
    }
}
