//! Parents and children in a [`World`].

use factorial_core::{Held, ParkOutcome, ParkedFor, TaskId, WaitKey};

use crate::{
    seed::highest,
    world::{LEASE, World, spawned},
};

impl World {
    /// A child of `parent`, awaited as `wait`.
    pub(crate) async fn child(&self, name: &str, parent: &Held, wait: Option<WaitKey>) -> TaskId {
        self.enqueue_with(name, |t| t.parent = Some(spawned(parent, wait)))
            .await
    }

    /// The same, held by worker `w2`. Of the highest priority, so that it is claimed before whatever else is queued.
    pub(crate) async fn held_child(
        &self,
        name: &str,
        parent: &Held,
        wait: Option<WaitKey>,
    ) -> Held {
        let id = self
            .enqueue_with(name, |t| {
                t.parent = Some(spawned(parent, wait));
                t.priority = highest();
            })
            .await;
        let held = self.claim_as("w2", "a", 1).await.remove(0).held;
        assert_eq!(held.id, id);
        held
    }

    /// Puts a held task aside.
    pub(crate) async fn park(&self, held: &Held, write: u64, parked_for: ParkedFor) {
        let outcome = self.store().park(held, write, parked_for, LEASE).await;
        assert_eq!(outcome.unwrap(), ParkOutcome::Parked);
    }
}
