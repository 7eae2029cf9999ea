//! The operations: those of the gateway, and what only the dashboard answers.

use std::time::Duration;

use factorial_core::{AgentName, Bucket, ChoreReport, ModelUse};
use factorial_tests::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Dashboard, LEASE, PATIENCE, announcement, dashboard, dashboard_after, dashboard_with, worker_of,
};

#[tokio::test]
async fn the_operations_of_the_gateway_are_served() {
    let dashboard = dashboard().await;
    let id = dashboard.submit("writer", "o").await;
    for path in [
        "/config".to_owned(),
        format!("/tasks/{id}"),
        format!("/tasks/{id}/messages"),
        format!("/tasks/{id}/events"),
        format!("/tasks/{id}/tree"),
        format!("/tasks/{id}/tool-calls"),
        "/tasks?q=FIRM%20OF&created_after=2020-01-01T00:00:00Z".to_owned(),
        "/approvals".to_owned(),
        "/tool-calls".to_owned(),
        "/batches".to_owned(),
        "/agents".to_owned(),
        "/agents/writer".to_owned(),
        "/workers".to_owned(),
    ] {
        dashboard.ask(&path).await;
    }
    let agent = dashboard.ask("/agents/writer").await;
    assert_eq!(agent["definition"]["instructions"], "Be kind.");
    let agents = dashboard.ask("/agents").await;
    assert_eq!(
        agents["data"][0]["definition"],
        Value::Null,
        "of a single one only"
    );
    let steered = dashboard
        .post(&format!("/tasks/{id}/steer"), &json!({"content": "hurry"}))
        .await;
    assert!(steered.status.is_success() || steered.status == StatusCode::UNPROCESSABLE_ENTITY);
    let cancelled = dashboard
        .post(&format!("/tasks/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(cancelled.json()["status"], "cancelled");
    let retried = dashboard
        .post(&format!("/tasks/{id}/retry"), &json!({}))
        .await;
    assert_eq!(retried.json()["status"], "queued");
    // What programs of clients use is not here.
    let batch = dashboard.post("/batches", &json!({})).await;
    assert_eq!(batch.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(batch.json()["code"], "method_not_allowed");
}

#[tokio::test]
async fn tasks_are_narrowed_to_states_ends_and_workers() {
    let dashboard = dashboard_with(2).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(dashboard.submit("writer", "o").await);
    }
    let claimed = dashboard.claim("writer", 3).await;
    dashboard.finish(&claimed[0], true).await;
    let middle = dashboard.store().now_ms().await.unwrap();
    eventually(PATIENCE, async || {
        (dashboard.store().now_ms().await.unwrap() > middle).then_some(())
    })
    .await;
    dashboard.finish(&claimed[1], false).await;
    let id = |n: usize| claimed[n].held.id.to_string();
    let waits = ids
        .into_iter()
        .find(|id| claimed.iter().all(|c| c.held.id.as_str() != id));
    let waits = waits.unwrap();
    let middle = serde_json::to_value(time(middle + 1)).unwrap();
    let middle = middle.as_str().unwrap();
    for (query, expected) in [
        (
            "status=completed,queued".to_owned(),
            vec![waits.clone(), id(0)],
        ),
        (
            "status=failed,processing,completed".to_owned(),
            vec![id(2), id(1), id(0)],
        ),
        (format!("finished_after={middle}"), vec![id(1)]),
        (format!("finished_before={middle}"), vec![id(0)]),
        (
            format!("finished_before={middle}&status=failed,queued"),
            vec![],
        ),
        ("worker_id=hand-1".to_owned(), vec![id(2)]),
        ("worker_id=hand-2".to_owned(), vec![]),
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = dashboard
                .ask(&format!("/tasks?limit=1&{query}{cursor}"))
                .await;
            let data = page["data"].as_array().unwrap();
            found.extend(
                data.iter()
                    .map(|task| task["id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, expected, "{query}");
    }
}

fn time(ms: u64) -> factorial_api::Time {
    factorial_api::Time::from_millis(i64::try_from(ms).unwrap())
}

#[tokio::test]
async fn the_document_has_everything() {
    let dashboard = dashboard().await;
    let document = dashboard.ask("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, method) in [
        ("/overview", "get"),
        ("/system", "get"),
        ("/config", "get"),
        ("/tasks", "post"),
        ("/tasks/bulk", "post"),
        ("/agents/{name}/pause", "post"),
    ] {
        let operation = &document["paths"][format!("/observability/api{path}")][method];
        assert!(
            operation["responses"]["200"].is_object() || operation["responses"]["201"].is_object(),
            "{path}"
        );
        assert!(
            operation["responses"]["503"].is_object(),
            "{path}: its problems"
        );
    }
    for schema in ["Overview", "System", "BulkRequest", "Task", "Problem"] {
        assert!(
            document["components"]["schemas"][schema].is_object(),
            "{schema}"
        );
    }
    let references = document.to_string();
    for part in references.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name} is missing"
        );
    }
}

/// Three of `writer`: one completed, one failed, one queued; one of `reader`, queued.
async fn some_work(dashboard: &Dashboard) {
    for _ in 0..2 {
        dashboard.submit("writer", "o").await;
    }
    let mut claimed = dashboard.claim("writer", 2).await;
    dashboard.turn(&mut claimed[0], 1).await;
    dashboard.turn(&mut claimed[0], 2).await;
    dashboard.finish(&claimed[0], true).await;
    dashboard.finish(&claimed[1], false).await;
    dashboard.submit("writer", "p").await;
    dashboard.submit("reader", "o").await;
}

#[tokio::test]
async fn an_overview_counts_what_happened() {
    let dashboard = dashboard_with(4).await;
    let empty = dashboard.ask("/overview").await;
    assert_eq!(empty["counts"]["queued"], 0);
    assert_eq!(empty["success_rate"], Value::Null);
    assert_eq!(empty["activity"]["starts"].as_array().unwrap().len(), 60);
    some_work(&dashboard).await;
    // An overview serves all who ask within half a second.
    eventually(PATIENCE, async || {
        let overview = dashboard.ask("/overview").await;
        (overview["counts"]["queued"] == 2).then_some(())
    })
    .await;
    for window in ["hour", "day", "week"] {
        let overview = dashboard.ask(&format!("/overview?window={window}")).await;
        let counts = json!({
            "scheduled": 0, "queued": 2, "processing": 0, "backoff": 0, "pending_tool_results": 0,
            "pending_child_tasks": 0, "completed": 1, "failed": 1, "cancelled": 0,
        });
        assert_eq!(overview["counts"], counts);
        let totals = json!({
            "enqueued": 4, "completed": 1, "failed": 1, "cancelled": 0, "retried": 0, "recovered": 0,
        });
        assert_eq!(overview["totals"], totals, "{window}");
        assert_eq!(overview["success_rate"], 0.5);
        assert_eq!(overview["workers"], 1);
        assert_eq!(overview["slots"], 50);
        assert_eq!(overview["running"], 2);
        assert_eq!(overview["agents_served"], 2);
        assert_eq!(overview["queue_wait"]["count"], 2);
        assert_eq!(overview["run_time"]["count"], 2);
        let used = json!([{
            "model": "openai/gpt", "input_tokens": 200, "output_tokens": 14, "cost_usd_micros": 10,
        }]);
        assert_eq!(overview["models"], used);
        let sum = |name: &str| {
            let list = overview["activity"][name].as_array().unwrap();
            list.iter().map(|n| n.as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!((sum("enqueued"), sum("input_tokens")), (4, 200));
        assert!(overview["oldest_queued_at"].is_string());
        let rate = overview["completed_per_minute"].as_f64().unwrap();
        assert!((0.16..=0.2).contains(&rate), "{rate}: 1 in 5 to 6 minutes");
        let names: Vec<&Value> = overview["agents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| &a["name"])
            .collect();
        assert_eq!(names, ["reader", "writer"]);
        assert_eq!(overview["agents"][1]["totals"]["failed"], 1);
    }
    let one = dashboard.ask("/overview?agent=reader").await;
    assert_eq!(one["counts"]["queued"], 1);
    assert_eq!(one["totals"]["enqueued"], 1);
    assert_eq!(one["agents"].as_array().unwrap().len(), 1);
    let unknown = dashboard
        .get("/observability/api/overview?agent=nobody")
        .await;
    assert_eq!(unknown.json()["code"], "agent_not_found");
    let refused = dashboard
        .get("/observability/api/overview?window=year&x=1")
        .await;
    assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 2);
}

/// An hour of an agent in which so many tasks were completed.
fn hour(start_ms: u64, completed: u64) -> Bucket {
    let used = ModelUse {
        input: completed,
        output: 1,
        cost_micros: None,
    };
    Bucket {
        start_ms,
        counts: [("completed".to_owned(), completed)].into(),
        wait: [(20, completed)].into(),
        models: [("m".to_owned(), used)].into(),
        ..Bucket::default()
    }
}

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn a_day_has_the_hours_that_were_summed_up() {
    let dashboard = dashboard_after(1, async |store| {
        let now = store.now_ms().await.unwrap();
        let agent = AgentName::new("writer").unwrap();
        for (ago, completed) in [(1, 10), (23, 100), (100, 1000)] {
            let hour = hour(now / HOUR_MS * HOUR_MS - ago * HOUR_MS, completed);
            assert!(store.keep_hour(&agent, &hour).await.unwrap());
        }
    })
    .await;
    some_work(&dashboard).await;
    let now = dashboard.store().now_ms().await.unwrap();
    // An hour without a sum is read from what is left of its minutes.
    let namespace = dashboard.store().namespace();
    let start = now / HOUR_MS * HOUR_MS - HOUR_MS;
    let key = format!("{{{namespace}:0}}:mt:reader:60000:{start}");
    let _: i64 = dashboard.test.raw(&["HINCRBY", &key, "completed", "3"]);
    let _: i64 = dashboard.test.raw(&["EXPIRE", &key, "600"]);

    let day = dashboard.ask("/overview?window=day").await;
    assert_eq!(day["totals"]["completed"], 114);
    assert_eq!(day["activity"]["bucket_seconds"], 3600);
    let completed = day["activity"]["completed"].as_array().unwrap();
    assert_eq!(completed.len(), 24);
    assert_eq!(
        (&completed[0], &completed[22], &completed[23]),
        (&json!(100), &json!(13), &json!(1))
    );
    assert!((1024.0..1449.0).contains(&day["queue_wait"]["p50_ms"].as_f64().unwrap()));
    let week = dashboard.ask("/overview?window=week&agent=writer").await;
    assert_eq!(week["totals"]["completed"], 1111);
    assert_eq!(week["models"].as_array().unwrap().len(), 2);
    // What is over was read once, and is there all the same.
    let again = dashboard.ask("/overview?window=week&agent=writer").await;
    assert_eq!(again["totals"], week["totals"]);
}

#[tokio::test]
async fn a_week_is_read_before_anybody_asks() {
    let agents: Vec<AgentName> = (0..11)
        .map(|n| AgentName::new(format!("agent-{n}")).unwrap())
        .collect();
    let dashboard = dashboard_after(1, async |store| {
        let now = store.now_ms().await.unwrap() / HOUR_MS * HOUR_MS;
        for agent in &agents {
            let hours: Vec<Bucket> = (2..168).map(|ago| hour(now - ago * HOUR_MS, 1)).collect();
            let kept = hours.iter().map(|hour| store.keep_hour(agent, hour));
            futures::future::try_join_all(kept).await.unwrap();
        }
        let known = agents.iter().map(|name| announcement(name.as_str()));
        let worker = worker_of(&agents);
        let known: Vec<_> = known.collect();
        store.announce(&worker, &known, LEASE * 10).await.unwrap();
    })
    .await;
    let read = || {
        let stats: String = dashboard.test.raw(&["INFO", "commandstats"]);
        let calls = stats.split("cmdstat_hgetall:calls=").nth(1).unwrap_or("0");
        let calls = calls.split(|c: char| !c.is_ascii_digit()).next();
        calls.unwrap().parse::<u64>().unwrap()
    };
    // The hours, then the minutes of those that are not summed up, until no more are read.
    let mut before = 0;
    eventually(PATIENCE, async || {
        let last = std::mem::replace(&mut before, read());
        tokio::time::sleep(Duration::from_millis(200)).await;
        (before > 11 * 166 && before == last).then_some(())
    })
    .await;
    let week = dashboard.ask("/overview?window=week").await;
    assert_eq!(week["totals"]["completed"], 11 * 166);
    let asked = read() - before;
    // Those of the two agents that were announced after the start.
    assert!(asked < 11 * 166 / 2, "{asked} hashes were read for a look");
}

#[tokio::test]
async fn the_oldest_of_many_owners_is_known_at_once() {
    let dashboard = dashboard().await;
    for owner in 0..300 {
        dashboard.submit("writer", &format!("o{owner}")).await;
    }
    let overview = dashboard.ask("/overview").await;
    assert_eq!(overview["counts"]["queued"], 300);
    let oldest = |overview: &Value| overview["oldest_queued_at"].as_str().unwrap().to_owned();
    let first = oldest(&overview);
    let exact = eventually(PATIENCE, async || {
        let overview = dashboard.ask("/overview").await;
        let tasks = dashboard
            .ask("/tasks?limit=200&status=queued&owner_id=o0")
            .await;
        let made = tasks["data"][0]["created_at"].as_str().unwrap();
        (oldest(&overview)[..19] == made[..19]).then(|| oldest(&overview))
    })
    .await;
    assert!(exact <= first);
}

#[tokio::test]
async fn the_system_says_what_it_runs_on() {
    let dashboard = dashboard_with(2).await;
    dashboard.submit("writer", "o").await;
    let interval = Duration::from_secs(10);
    let report = ChoreReport {
        took: Duration::from_millis(7),
        done: 3,
        interval,
    };
    for _ in 0..2 {
        dashboard
            .store()
            .report_chore("expire", report)
            .await
            .unwrap();
    }
    let late = ChoreReport {
        interval: Duration::ZERO,
        ..report
    };
    dashboard
        .store()
        .report_chore("promote", late)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let system = dashboard.ask("/system").await;
    assert_eq!(system["namespace"], dashboard.store().namespace().as_str());
    assert!(!system["redis"]["version"].as_str().unwrap().is_empty());
    assert!(system["redis"]["used_memory_bytes"].as_u64().unwrap() > 0);
    assert!(system["redis"]["latency_ms"].as_f64().unwrap() > 0.0);
    let partitions = system["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 2);
    let queued: u64 = partitions
        .iter()
        .map(|p| p["counts"]["queued"].as_u64().unwrap())
        .sum();
    assert_eq!(queued, 1);
    let chores = system["chores"].as_array().unwrap();
    assert_eq!(
        (
            &chores[0]["name"],
            &chores[0]["done"],
            &chores[0]["took_ms"]
        ),
        (&json!("expire"), &json!(6), &json!(7))
    );
    assert_eq!(
        (&chores[0]["stalled"], &chores[1]["stalled"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn an_agent_is_paused_and_resumed() {
    let dashboard = dashboard_with(4).await;
    for _ in 0..5 {
        dashboard.submit("writer", "o").await;
    }
    let paused = dashboard.post("/agents/writer/pause", &json!({})).await;
    assert_eq!(paused.json()["paused"], true, "{}", paused.text);
    dashboard.submit("writer", "o").await;
    assert!(dashboard.claim("writer", 9).await.is_empty());
    assert_eq!(dashboard.ask("/agents/writer").await["paused"], true);
    assert_eq!(dashboard.ask("/agents").await["data"][1]["paused"], true);
    assert_eq!(
        dashboard.ask("/overview").await["agents"][1]["paused"],
        true
    );
    let resumed = dashboard.post("/agents/writer/resume", &json!({})).await;
    assert_eq!(resumed.json()["paused"], false);
    assert_eq!(dashboard.claim("writer", 9).await.len(), 6);
    let unknown = dashboard.post("/agents/nobody/pause", &json!({})).await;
    assert_eq!(unknown.json()["code"], "agent_not_found");
}
