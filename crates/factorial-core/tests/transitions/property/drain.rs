//! The end of every sequence: workers, answers and time do what they can, and every task must end.

use factorial_core::{WaitKey, WaitKind};

use super::{AGENTS, Run, operation::Answering};

/// Rounds after which something is stuck. A tree of the greatest depth needs a few for each level.
const ROUNDS: usize = 60;

impl Run {
    /// Runs everything to its end. Panics when a task does not get there.
    pub(super) async fn drain(&mut self) {
        for _ in 0..ROUNDS {
            if !self.model.tasks.iter().any(super::model::Expected::lives) {
                return;
            }
            self.cascade().await;
            self.expire_waits().await;
            self.recover().await;
            self.promote().await;
            self.deadlines().await;
            self.answer_all().await;
            for partition in self.test.store().all_partitions() {
                for agent in AGENTS {
                    self.claim(partition, agent, 1_000).await;
                }
            }
            for holder in 0..self.holders.len() {
                if let Ok(index) = self.lease(holder) {
                    self.go_on(holder, index).await;
                }
            }
        }
        let stuck: Vec<_> = self.model.tasks.iter().filter(|t| t.lives()).collect();
        panic!("stuck: {stuck:#?}");
    }

    /// What a worker does with a task that it holds and that has nothing more to ask.
    async fn go_on(&mut self, holder: usize, index: usize) {
        if self.model.tasks[index].open() > 0 {
            self.park(holder).await;
        }
        if self.lease(holder).is_ok() && self.model.tasks[index].open() == 0 {
            self.take(holder).await;
            while self.lease(holder).is_ok() {
                self.finish(holder, true).await;
            }
        }
    }

    /// Everybody who was asked answers.
    async fn answer_all(&mut self) {
        for index in 0..self.model.tasks.len() {
            let waits = self.model.tasks[index].waits.iter();
            let asked: Vec<WaitKey> = waits
                .filter(|(_, wait)| wait.is_open() && wait.kind() != WaitKind::Child)
                .map(|(key, _)| key.clone())
                .collect();
            for key in asked {
                let answering = Answering {
                    task: index,
                    wait: 0,
                    well: true,
                    payload: 9,
                    wrong_kind: false,
                };
                self.answer_to(index, key, answering).await;
            }
        }
    }
}
