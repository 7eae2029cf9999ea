//! What has become of tasks: read from Redis, past the services, and from the model.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use factorial_core::{Entry, Event, TaskId, TaskRecord, TaskState};
use factorial_sim::RequestRecord;

use super::System;
use crate::eventually;

impl System {
    /// What the model was asked for a task, in order.
    #[must_use]
    pub fn asked(&self, id: &TaskId) -> Vec<RequestRecord> {
        self.sim
            .requests()
            .into_iter()
            .filter(|r| r.task.as_deref() == Some(id.as_str()))
            .collect()
    }

    /// Waits until the model was asked so often for a task.
    #[track_caller]
    pub fn when_asked(&self, id: &TaskId, times: usize) -> impl Future<Output = ()> {
        eventually(Duration::from_secs(20), move || async move {
            (self.asked(id).len() >= times).then_some(())
        })
    }

    /// The record of a task; waits for Redis if it is away.
    pub async fn task(&self, id: &TaskId) -> TaskRecord {
        self.when(id, Duration::from_secs(30), |_| true).await
    }

    /// All events of a task.
    pub async fn events(&self, id: &TaskId) -> Vec<Event> {
        self.store.events(id, 0, 1_000_000).await.expect("events").0
    }

    /// The conversation of a task.
    pub async fn entries(&self, id: &TaskId) -> Vec<Entry> {
        self.store.entries(id, 0, 1_000_000).await.expect("entries")
    }

    /// Waits for a task to be as it should.
    #[track_caller]
    pub fn when(
        &self,
        id: &TaskId,
        deadline: Duration,
        is: impl Fn(&TaskRecord) -> bool,
    ) -> impl Future<Output = TaskRecord> {
        let (store, id, is) = (self.store.clone(), id.clone(), Arc::new(is));
        eventually(deadline, move || {
            let (store, id, is) = (store.clone(), id.clone(), Arc::clone(&is));
            async move { store.task(&id).await.ok().flatten().filter(|t| is(t)) }
        })
    }

    /// Waits for the end of a task.
    #[track_caller]
    pub fn end(&self, id: &TaskId) -> impl Future<Output = TaskRecord> {
        self.when(id, Duration::from_secs(40), |t| t.state.is_terminal())
    }

    /// Tasks that were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> Vec<TaskId> {
        self.accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// Accepted tasks that Redis has lost, as it may when a replica takes over; they are not waited for any more.
    ///
    /// # Panics
    /// When Redis does not answer.
    pub async fn forget_lost(&self) -> Vec<TaskId> {
        let mut lost = Vec::new();
        for ids in self.accepted().chunks(1_000) {
            let records = self.store.tasks(ids).await.expect("records");
            let gone = ids.iter().zip(records).filter(|(_, r)| r.is_none());
            lost.extend(gone.map(|(id, _)| id.clone()));
        }
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.retain(|id| !lost.contains(id));
        lost
    }

    /// Waits until every accepted task has ended; their records.
    ///
    /// # Panics
    /// When some have not ended within `deadline`, or are gone.
    pub async fn quiet(&self, deadline: Duration) -> Vec<TaskRecord> {
        let ids = self.accepted();
        let end = tokio::time::Instant::now() + deadline;
        loop {
            if let Ok(records) = self.store.tasks(&ids).await {
                let lost: Vec<_> = ids
                    .iter()
                    .zip(&records)
                    .filter(|(_, r)| r.is_none())
                    .map(|(id, _)| id)
                    .collect();
                assert!(lost.is_empty(), "accepted tasks are gone: {lost:?}");
                let records: Vec<TaskRecord> = records.into_iter().flatten().collect();
                let open: Vec<_> = records.iter().filter(|r| !r.state.is_terminal()).collect();
                if open.is_empty() {
                    self.nothing_else(&records).await;
                    return records;
                }
                assert!(
                    tokio::time::Instant::now() < end,
                    "{} of {} tasks have not ended within {deadline:?}, for instance {:?}",
                    open.len(),
                    ids.len(),
                    open.first()
                );
            }
            assert!(tokio::time::Instant::now() < end, "redis does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The descendants of tasks, level by level.
    pub async fn descendants(&self, ids: &[TaskId]) -> Vec<TaskRecord> {
        let (mut all, mut level) = (Vec::new(), ids.to_vec());
        while !level.is_empty() {
            let mut next = Vec::new();
            for ids in level.chunks(500) {
                let children = self.store.children(ids, 1_000_000).await.expect("children");
                next.extend(children.into_iter().flatten());
            }
            for ids in next.chunks(500) {
                let records = self.store.tasks(ids).await.expect("records");
                all.extend(records.into_iter().flatten());
            }
            level = next;
        }
        all
    }

    /// There are no tasks but those that were accepted, and their descendants.
    async fn nothing_else(&self, records: &[TaskRecord]) {
        let ids: Vec<TaskId> = records.iter().map(|r| r.id.clone()).collect();
        let below = self.descendants(&ids).await;
        let mut real: BTreeMap<_, u64> = BTreeMap::new();
        for record in records.iter().chain(&below) {
            *real
                .entry((record.agent.clone(), record.state))
                .or_default() += 1;
        }
        let mut counts = self.store.counts().await.expect("counts");
        counts.retain(|_: &(_, TaskState), count| *count > 0);
        assert_eq!(counts, real, "tasks that nobody was told of");
    }
}
