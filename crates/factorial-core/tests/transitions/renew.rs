//! `renew`: one call keeps all leases of a worker, and says which are lost.

use factorial_core::{Held, Lost, TaskState};

use crate::world::LEASE;

on_each! {
    async fn a_lease_is_renewed_in_whichever_partition(w) {
        let held = w.held("A").await;
        w.expire_lease("A");
        w.step(w.store().renew(std::slice::from_ref(&held), LEASE), vec![], "~ lease A: 1 -> now+30s").await;
        w.refused(w.store().renew(&[], LEASE), vec![]).await;
    }

    async fn many_at_once(w) {
        for i in 0..1_100 {
            w.enqueue(&format!("A{i}")).await;
        }
        let mut held: Vec<Held> = w.claim(2_000).await.into_iter().map(|c| c.held).collect();
        assert_eq!(held.len(), 1_100);
        w.store().cancel(&held[700].id, None).await.unwrap();
        held[900].token -= 1;
        let lost = w.store().renew(&held, LEASE).await.unwrap();
        let expected = [
            Lost { held: held[700].clone(), state: Some(TaskState::Cancelled) },
            Lost { held: held[900].clone(), state: Some(TaskState::Processing) },
        ];
        assert_eq!(lost, expected);
    }

    async fn a_lost_lease_is_not_brought_back(w) {
        let held = w.held("A").await;
        let _: i64 = w.raw("ZREM", "lease", &["A"]);
        w.refused(w.store().renew(std::slice::from_ref(&held), LEASE), vec![]).await;
        let deadline = w.store().now_ms().await.unwrap() + 30_000;
        let _: i64 = w.raw("ZADD", "lease", &[&deadline.to_string(), "A"]);
    }
}
