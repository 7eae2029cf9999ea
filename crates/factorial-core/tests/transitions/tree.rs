//! What a tree has spent is summed at each of its tasks, over those below it that have ended.

use factorial_core::{Commit, Finish, Held, TaskState, Tree, Usage};

use crate::world::{LEASE, World, child_of, completed, failed, turn};

fn spent(tasks: u64, turns: u64, cost: u64) -> Tree {
    let usage = Usage {
        input: 10 * turns,
        output: 2 * turns,
        ..Usage::default()
    };
    Tree {
        tasks,
        usage,
        cost_micros: cost,
    }
}

/// Its turn, with a cost of 5, and its end.
fn last(finish: Finish, known: u64, number: u32) -> Finish {
    let event = |mut commit: Commit| {
        commit.cost_micros = Some(5 * u64::from(number));
        commit.events[0].data["cost_usd_micros"] = 5.into();
        commit
    };
    Finish {
        last: event(turn(finish.last.write, known, number)),
        ..finish
    }
}

async fn tree(w: &World, name: &str) -> Tree {
    w.store().task(&w.id(name)).await.unwrap().unwrap().tree
}

async fn three(w: &World) -> (Held, Held, Held) {
    let root = w.held("root").await;
    let child = w.held_child("child", &root, Some(child_of("c"))).await;
    let leaf = w.held_child("leaf", &child, Some(child_of("c"))).await;
    (root, child, leaf)
}

on_each! {
    async fn each_end_is_added_on_the_way_up(w) {
        let (root, child, leaf) = three(w).await;
        w.step(w.store().finish(&leaf, &last(completed(1, 1), 1, 1), LEASE), factorial_core::FinishOutcome::Finished, r#"
            + done:completed leaf = now
            - lease leaf = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 3 -> 2
            + t:root tree = 1 10 0 2 0 5
            ~ t:child awaited: 1 -> 0
            + t:child tree = 1 10 0 2 0 5
            - t:child:c leaf
            + t:child:e[2] = now 1 0 child_ended {"task_id":"leaf","status":"completed"}
            ~ t:child:w c/0: ? child past 0 leaf -> = child completed now sha1 leaf {"task_id":"leaf","status":"completed","output":"done"}
            ~ t:leaf bytes: 26 -> 94
            + t:leaf cost = 5
            + t:leaf finished = now
            ~ t:leaf state: processing -> completed
            + t:leaf turns = 1
            + t:leaf u:m = 10 0 2 0
            ~ t:leaf write: 0 -> 1
            + t:leaf:e[1] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0},"cost_usd_micros":5}
            + t:leaf:e[2] = now 1 1 run_completed {"turns":1}
            + t:leaf:m[0] = {"t":"reply","turn":1,"content":"text"}
            + t:leaf:m[1] = {"t":"output","value":"done"}
        "#).await;
        w.store().finish(&child, &last(failed(1, 1), 1, 1), LEASE).await.unwrap();
        assert_eq!((tree(w, "leaf").await, tree(w, "child").await), (Tree::default(), spent(1, 1, 5)));
        assert_eq!(tree(w, "root").await, spent(2, 2, 10));
        w.store().finish(&root, &last(completed(1, 1), 1, 1), LEASE).await.unwrap();
        assert_eq!(tree(w, "root").await, spent(2, 2, 10), "its own is its own");
    }

    async fn a_retry_is_not_counted_twice(w) {
        let (root, child, leaf) = three(w).await;
        w.store().finish(&leaf, &last(failed(1, 1), 1, 1), LEASE).await.unwrap();
        w.store().finish(&child, &last(failed(1, 1), 1, 1), LEASE).await.unwrap();
        w.store().retry(&leaf.id, None).await.unwrap();
        assert_eq!((tree(w, "child").await, tree(w, "root").await), (spent(0, 0, 0), spent(1, 1, 5)));
        let leaf = w.claim(1).await.remove(0).held;
        w.store().finish(&leaf, &last(completed(1, 2), 2, 2), LEASE).await.unwrap();
        assert_eq!((tree(w, "child").await, tree(w, "root").await), (spent(1, 2, 10), spent(2, 3, 15)));
        w.store().retry(&child.id, None).await.unwrap();
        w.store().cancel(&child.id, None).await.unwrap();
        assert_eq!(tree(w, "root").await, spent(2, 3, 15));
        w.store().finish(&root, &last(completed(1, 1), 1, 1), LEASE).await.unwrap();
    }

    async fn what_is_gone_is_passed_over(w) {
        let (root, child, leaf) = three(w).await;
        w.store().finish(&child, &last(completed(1, 1), 1, 1), LEASE).await.unwrap();
        assert_eq!(w.state("leaf").await, Some(TaskState::Processing));
        w.store().cascade(w.partition, 10).await.unwrap();
        assert_eq!(w.state("leaf").await, Some(TaskState::Cancelled));
        let both = tree(w, "root").await;
        w.store().expire(w.partition, TaskState::Completed, std::time::Duration::ZERO, 10).await.unwrap();
        assert_eq!(w.state("child").await, None);
        // Nobody is left who would say whose it is.
        w.store().retry(&leaf.id, None).await.unwrap();
        w.store().cancel(&root.id, None).await.unwrap();
        assert_eq!(tree(w, "root").await, both);
    }
}
