//! The inbox: what waits for an operator, oldest first, page by page, each once.

use factorial_core::{Asked, AskedFilter, NewWait, Owners, WaitKind};

use crate::world::{World, approval, asks, call, owner};

fn filter(kind: WaitKind) -> AskedFilter {
    AskedFilter {
        kind,
        owners: Owners::All,
        agent: None,
        before_ms: None,
    }
}

/// A held task of an owner that asks these.
async fn asking(w: &World, name: &str, whose: &str, waits: Vec<NewWait>) {
    w.enqueue_with(name, |t| t.owner = owner(whose)).await;
    let held = w.claim(1).await.remove(0).held;
    w.await_all(&held, waits).await;
}

async fn all(w: &World, filter: &AskedFilter, limit: usize) -> Vec<Asked> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = w
            .store()
            .asked(filter, cursor.as_deref(), limit)
            .await
            .unwrap();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

on_each! {
    async fn each_is_listed_once_for_whom_it_concerns(w) {
        asking(w, "A", "o", vec![asks(WaitKind::Approval, approval("c1")), asks(WaitKind::Operator, call("c2"))]).await;
        asking(w, "B", "p", vec![asks(WaitKind::Approval, approval("c1")), asks(WaitKind::Caller, call("c2"))]).await;
        let approvals = all(w, &filter(WaitKind::Approval), 1).await;
        let tasks: Vec<_> = approvals.iter().map(|a| w.name_of(&a.task)).collect();
        assert_eq!(tasks, ["A", "B"]);
        assert_eq!((&approvals[0].key, approvals[0].agent.as_str()), (&approval("c1"), "a"));
        assert_eq!(all(w, &filter(WaitKind::Operator), 9).await.len(), 1);
        let theirs = AskedFilter { owners: Owners::of(Some(owner("p"))), ..filter(WaitKind::Approval) };
        assert_eq!(all(w, &theirs, 9).await, approvals[1..]);
        let of_another = AskedFilter { agent: Some("b".parse().unwrap()), ..filter(WaitKind::Approval) };
        assert_eq!(all(w, &of_another, 9).await, []);
        let old = AskedFilter { before_ms: Some(approvals[0].asked_ms), ..filter(WaitKind::Approval) };
        assert_eq!(all(w, &old, 9).await, []);
    }
}

on_servers! {
    async fn more_in_one_ms_than_are_read_at_once(w) {
        let waits = |from: u32, to| (from..to).map(|i| asks(WaitKind::Approval, approval(&format!("c{i}")))).collect();
        asking(w, "A", "o", waits(0, 1_300)).await;
        asking(w, "B", "o", waits(0, 700)).await;
        for limit in [90, 600, 5_000] {
            let items = all(w, &filter(WaitKind::Approval), limit).await;
            assert_eq!(items.len(), 2_000);
            assert!(items.windows(2).all(|w| w[0].asked_ms <= w[1].asked_ms));
            let distinct: std::collections::BTreeSet<_> = items.iter().map(|i| (&i.task, i.key.to_string())).collect();
            assert_eq!(distinct.len(), 2_000);
        }
    }
}
