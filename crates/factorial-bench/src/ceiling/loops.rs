//! The loops themselves: every connection calls its script again as soon as it has the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_redis::redis::{self, Cmd, Script, Value, aio::MultiplexedConnection};
use tokio::task::JoinSet;

use crate::error::BenchError;

const ENQUEUE: &str = include_str!("../../lua/enqueue.lua");
const CLAIM: &str = include_str!("../../lua/claim.lua");
const FINISH: &str = include_str!("../../lua/finish.lua");

/// How tasks go through the scripts.
pub(super) struct Loops {
    pub(super) connections: Vec<MultiplexedConnection>,
    /// Start of every key.
    pub(super) base: String,
    pub(super) tasks: u64,
    /// Tasks of a call.
    pub(super) group: usize,
}

impl Loops {
    /// Loads a script, and gives the start of its calls.
    async fn load(&self, code: &str) -> Result<Cmd, BenchError> {
        let script = Script::new(code);
        if let Some(connection) = self.connections.first() {
            let mut load = redis::cmd("SCRIPT");
            load.arg("LOAD").arg(code);
            load.query_async::<()>(&mut connection.clone()).await?;
        }
        let mut call = redis::cmd("EVALSHA");
        call.arg(script.get_hash()).arg(1).arg(&self.base);
        Ok(call)
    }
}

/// Accepts all tasks.
pub(super) async fn enqueue(loops: &Loops, payload: &str) -> Result<(), BenchError> {
    let mut call = loops.load(ENQUEUE).await?;
    call.arg(payload);
    let next = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    let (tasks, group) = (loops.tasks, loops.group as u64);
    for connection in &loops.connections {
        let (mut connection, call, next) = (connection.clone(), call.clone(), Arc::clone(&next));
        running.spawn(async move {
            loop {
                let from = next.fetch_add(group, Ordering::Relaxed);
                if from >= tasks {
                    return Ok::<_, BenchError>(());
                }
                let mut call = call.clone();
                for id in from..(from + group).min(tasks) {
                    // As long as the id of a task.
                    call.arg(format!("0-{id:026}"));
                }
                call.query_async::<()>(&mut connection).await?;
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// Claims and finishes tasks until there are none; says how many.
pub(super) async fn consume(loops: &Loops) -> Result<u64, BenchError> {
    let mut claim = loops.load(CLAIM).await?;
    claim.arg(loops.group);
    let finish = loops.load(FINISH).await?;
    let mut running = JoinSet::new();
    for connection in &loops.connections {
        let (mut connection, claim, finish) = (connection.clone(), claim.clone(), finish.clone());
        running.spawn(async move {
            let mut done = 0;
            loop {
                let claimed: Vec<Value> = claim.query_async(&mut connection).await?;
                if claimed.is_empty() {
                    return Ok::<u64, BenchError>(done);
                }
                let mut finish = finish.clone();
                // Every second item is the task's fields.
                for id in claimed.into_iter().step_by(2) {
                    finish.arg(
                        redis::from_redis_value::<String>(id).map_err(redis::RedisError::from)?,
                    );
                }
                done += finish.query_async::<u64>(&mut connection).await?;
            }
        });
    }
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        done += ended??;
    }
    Ok(done)
}
