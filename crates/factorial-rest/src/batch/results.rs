//! The results of a batch on the wire: a line of JSON for each member that has ended.
//!
//! Made by the results handler, and polled by the connection only when there is room for more. Invariant: members come in
//! the order of the submission, and no more than a page of them is held.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use factorial_api::BatchResult;
use factorial_core::{BatchId, Store, StoreError, TaskId, TaskRecord, TaskState};
use futures::stream;
use tokio::time::sleep;

use super::member::CUSTOM_ID;
use crate::{access::Caller, convert, layers::WaitGuard};

/// Records read at once.
const PAGE: u64 = 64;
/// Outputs read at once; each can be as large as a conversation.
const OUTPUTS: usize = 16;
/// While the store does not answer, a page is asked for again; then the stream breaks off, and the client resumes.
const TRIES: u32 = 10;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Which members.
pub(crate) struct Wanted {
    pub(crate) batch: BatchId,
    /// Indexes of members are below this.
    pub(crate) span: u64,
    /// The first index.
    pub(crate) from: u64,
    /// Only those that ended like this.
    pub(crate) state: Option<TaskState>,
    /// Most lines.
    pub(crate) limit: u64,
}

struct Results {
    store: Store,
    wanted: Wanted,
    /// Ended members whose lines are next.
    ended: Vec<(u64, TaskRecord)>,
    caller: Caller,
    _wait: WaitGuard,
}

/// The body that streams the results.
pub(crate) fn results(store: Store, wanted: Wanted, caller: Caller, wait: WaitGuard) -> Body {
    let results = Results {
        store,
        wanted,
        ended: Vec::new(),
        caller,
        _wait: wait,
    };
    Body::from_stream(stream::unfold(Some(results), |results| async move {
        let mut results = results?;
        let caller = results.caller.clone();
        let next = tokio::select! {
            next = results.next() => next,
            () = caller.ended() => {
                let cut = std::io::Error::other("the key was revoked or has expired");
                return Some((Err(cut), None));
            }
        };
        match next {
            Ok(Some(lines)) => Some((Ok(lines), Some(results))),
            Ok(None) => None,
            Err(error) => {
                let batch = &results.wanted.batch;
                tracing::warn!(batch.id = %batch, %error, "results broke off");
                Some((Err(std::io::Error::other(error)), None))
            }
        }
    }))
}

impl Results {
    /// The next lines, at least one; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while self.ended.is_empty() {
            let wanted = &self.wanted;
            if wanted.from >= wanted.span || wanted.limit == 0 {
                return Ok(None);
            }
            self.read().await?;
        }
        let some = self.ended.len().min(OUTPUTS);
        let part: Vec<_> = self.ended.drain(..some).collect();
        let completed = part
            .iter()
            .filter(|(_, task)| task.state == TaskState::Completed);
        let completed: Vec<TaskId> = completed.map(|(_, task)| task.id.clone()).collect();
        let mut tries = 0;
        let outputs = loop {
            match self.store.outputs(&completed).await {
                Ok(outputs) => break outputs,
                Err(error) => again(&mut tries, error).await?,
            }
        };
        let mut outputs = outputs.into_iter();
        let mut lines = Vec::new();
        for (index, task) in part {
            let mut line = line(index, task);
            if line.status == factorial_api::TaskStatus::Completed {
                line.output = outputs.next().flatten();
            }
            serde_json::to_writer(&mut lines, &line).map_err(|error| StoreError::Corrupt {
                place: "batch result",
                detail: error.to_string(),
            })?;
            lines.push(b'\n');
        }
        Ok(Some(lines.into()))
    }

    /// Reads the next page of members.
    async fn read(&mut self) -> Result<(), StoreError> {
        let wanted = &mut self.wanted;
        let to = wanted.span.min(wanted.from + PAGE);
        let ids: Vec<TaskId> = (wanted.from..to).map(|n| wanted.batch.member(n)).collect();
        let mut tries = 0;
        let tasks = loop {
            match self.store.tasks(&ids).await {
                Ok(tasks) => break tasks,
                Err(error) => again(&mut tries, error).await?,
            }
        };
        let ended = tasks
            .into_iter()
            .zip(wanted.from..)
            .filter_map(|(task, index)| {
                let task = task.filter(|task| task.state.is_terminal())?;
                let fits = wanted.state.is_none_or(|state| state == task.state);
                fits.then_some((index, task))
            });
        let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        self.ended = ended.take(most).collect();
        wanted.limit -= self.ended.len() as u64;
        wanted.from = to;
        Ok(())
    }
}

fn line(index: u64, mut task: TaskRecord) -> BatchResult {
    let failed = task.state == TaskState::Failed;
    BatchResult {
        index,
        task_id: task.id.as_str().to_owned(),
        custom_id: task.metadata.remove(CUSTOM_ID),
        status: convert::status(task.state),
        output: None,
        usage: convert::usage(task.total_usage()),
        cost_usd_micros: task.cost_micros,
        failure: task.failure.filter(|_| failed).map(convert::failure),
        cancel_reason: task.reason,
    }
}

/// Waits for a store that is away; gives the error back when there is no point.
async fn again(tries: &mut u32, error: StoreError) -> Result<(), StoreError> {
    *tries += 1;
    if !error.is_unavailable() || *tries >= TRIES {
        return Err(error);
    }
    sleep(AGAIN_AFTER).await;
    Ok(())
}
