//! Lists of tasks: filters and pages.

use factorial_api::Time;
use factorial_client::TaskFilter;
use serde_json::json;

use crate::support::{Gateway, config, gateway_with};

async fn all(gateway: &Gateway, filter: &str, limit: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = gateway
            .get(&format!("/v1/tasks?limit={limit}{filter}{cursor}"))
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        let data = page.body["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        ids.extend(
            data.iter()
                .map(|task| task["id"].as_str().unwrap().to_owned()),
        );
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn text_and_time_are_filters() {
    let gateway = gateway_with(config(), 2).await;
    let before = gateway.store.now_ms().await.unwrap();
    let mut ids = Vec::new();
    for customer in ["ACME", "Other"] {
        let submission = json!({"agent": "writer", "metadata": {"customer": customer}});
        ids.push(gateway.submit(&submission).await);
    }
    let client = gateway.client();
    let found = async |filter: TaskFilter| -> Vec<String> {
        let page = client.tasks(&filter, None, None).await.unwrap();
        page.data.into_iter().map(|task| task.id).collect()
    };
    let text = |text: &str| TaskFilter {
        text: Some(text.to_owned()),
        ..TaskFilter::default()
    };
    assert_eq!(found(text("acme")).await, [ids[0].clone()]);
    assert_eq!(found(text(&ids[1])).await, [ids[1].clone()]);
    assert_eq!(found(text("nobody")).await, [""; 0]);
    let at = |ms: u64| Time::from_millis(i64::try_from(ms).unwrap());
    // The ids are named by the clock of the gateway, which follows that of Redis.
    let after = TaskFilter {
        created_after: Some(at(before - 60_000)),
        ..TaskFilter::default()
    };
    assert_eq!(found(after).await.len(), 2);
    let long_ago = TaskFilter {
        created_before: Some(at(before - 60_000)),
        ..TaskFilter::default()
    };
    assert_eq!(found(long_ago).await, [""; 0]);
    for bad in [
        "q=",
        "batch_id=x",
        "created_after=yesterday",
        "cursor=xyz",
        "created_before=0",
        "status=failed,gone",
        "status=",
        "finished_after=soon",
        "worker_id=a%20b",
    ] {
        let refused = gateway.get(&format!("/v1/tasks?{bad}")).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "validation_failed"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn filters_and_pages_of_any_size() {
    let gateway = gateway_with(config(), 4).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let agent = if n % 2 == 0 { "writer" } else { "reader" };
        let owner = if n % 3 == 0 { "o1" } else { "o|2" };
        let delay = if n < 6 { 60 } else { 0 };
        ids.push(
            gateway
                .submit(&json!({"agent": agent, "owner_id": owner, "delay_seconds": delay}))
                .await,
        );
    }
    let pick = |fits: fn(usize) -> bool| {
        let mut picked: Vec<_> = (0..12)
            .filter(|n| fits(*n))
            .map(|n| ids[n].clone())
            .collect();
        picked.sort_unstable();
        picked
    };
    for limit in [1, 5, 200] {
        for (filter, fits) in [
            ("", (|_| true) as fn(usize) -> bool),
            ("&agent=reader", |n| n % 2 == 1),
            ("&owner_id=o%7C2", |n| n % 3 != 0),
            ("&owner_id=o1&agent=writer", |n| n % 6 == 0),
            ("&status=scheduled", |n| n < 6),
            ("&status=queued&agent=reader", |n| n % 2 == 1 && n >= 6),
            ("&status=queued,scheduled&owner_id=o1", |n| n % 3 == 0),
            ("&status=scheduled,completed", |n| n < 6),
            ("&status=queued&worker_id=w", |_| false),
            ("&finished_after=2020-01-01T00:00:00Z", |_| false),
            ("&owner_id=nobody", |_| false),
        ] {
            let mut listed = all(&gateway, filter, limit).await;
            let unique = |id: &String| id.split_once('-').unwrap().1.to_owned();
            assert!(
                listed.is_sorted_by(|a, b| unique(a) > unique(b)),
                "newest first: {listed:?}"
            );
            listed.sort_unstable();
            assert_eq!(listed, pick(fits), "{filter} {limit}");
        }
    }
}
