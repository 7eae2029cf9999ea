//! Calls that are answered from outside: the list, and answers of every kind and at every time.

use std::collections::BTreeMap;

use factorial_api::{Asks, ToolCallStatus};
use factorial_core::{WaitKey, WaitKind, WaitOutcome, WaitStatus};
use serde_json::{Value, json};

use crate::support::{Ask, Gateway, gateway};

fn path(id: &str, call: &str, verb: &str) -> String {
    format!("/v1/tasks/{id}/tool-calls/{call}/{verb}")
}

async fn status(gateway: &Gateway, id: &str) -> Value {
    gateway.get(&format!("/v1/tasks/{id}")).await.body["status"].clone()
}

#[tokio::test]
async fn a_task_goes_on_with_its_last_answer() {
    let gateway = gateway().await;
    let asks = [
        Ask::new(WaitKind::Caller, "c1"),
        Ask::new(WaitKind::Operator, "c2"),
    ];
    let id = gateway.parked(&json!({}), &asks).await;
    let task = gateway.get(&format!("/v1/tasks/{id}")).await.body;
    assert_eq!(
        (&task["status"], &task["awaiting"]),
        (&json!("pending_tool_results"), &json!(2))
    );

    let result = json!({"result": {"b": [1, null], "a": "é"}, "by": "ana"});
    let first = gateway.post(&path(&id, "c1", "result"), &result).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(
        first.body,
        json!({
            "task_id": id, "call_id": "c1", "outcome": "result", "replayed": false, "task_status": "pending_tool_results",
        })
    );
    let second = gateway
        .post(
            &path(&id, "c2", "error"),
            &json!({"message": "no such page", "owner_id": "o1"}),
        )
        .await;
    assert_eq!(
        (second.status, &second.body["outcome"]),
        (200, &json!("error"))
    );
    assert_eq!(second.body["task_status"], "queued");

    let claimed = gateway.hand().claim().await;
    let answers: Vec<_> = claimed
        .waits
        .iter()
        .map(|wait| match &wait.status {
            WaitStatus::Answered {
                outcome, payload, ..
            } => (wait.key.to_string(), *outcome, payload.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        answers,
        [
            (
                "c1".to_owned(),
                WaitOutcome::Result,
                r#"{"b":[1,null],"a":"é"}"#.to_owned()
            ),
            (
                "c2".to_owned(),
                WaitOutcome::Error,
                r#"{"message":"no such page"}"#.to_owned()
            ),
        ]
    );
    assert_eq!(
        gateway.events_of(&id, "tool_call_answered").await,
        [
            json!({"by": "ana", "call_id": "c1", "outcome": "result"}),
            json!({"call_id": "c2", "outcome": "error"}),
        ]
    );
}

#[tokio::test]
async fn the_list_shows_what_is_asked_and_how_it_was_answered() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    let odd = Ask {
        arguments: "not JSON",
        timeout: None,
        ..Ask::new(WaitKind::Caller, "b")
    };
    let asks = [
        Ask::new(WaitKind::Operator, "c"),
        Ask::new(WaitKind::Approval, "a"),
        odd,
    ];
    hand.ask(&mut claimed, 1, &asks).await;
    let child = hand
        .spawn(&claimed, Some(WaitKey::Child("d".to_owned(), 0)), "reader")
        .await;
    hand.ask(&mut claimed, 2, &[Ask::new(WaitKind::Approval, "0")])
        .await;
    gateway
        .post(&path(&id, "c", "result"), &json!({"result": 1}))
        .await;
    gateway.post(&path(&id, "a", "deny"), &json!({})).await;
    hand.take(&mut claimed, 3, vec![WaitKey::Approval("a".to_owned())])
        .await;
    assert!(gateway.store.owns(&child));

    let client = gateway.client();
    let all = client
        .tool_calls(&id, None, Some("o1"), None, None)
        .await
        .unwrap();
    let shown: Vec<_> = all
        .data
        .iter()
        .map(|call| {
            (
                call.call_id.as_str(),
                call.tool.as_str(),
                call.asks,
                call.status,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("a", "publish", Asks::Approval, ToolCallStatus::Answered),
            ("b", "open_door", Asks::Caller, ToolCallStatus::Open),
            ("c", "look_up", Asks::Operator, ToolCallStatus::Answered),
            ("0", "publish", Asks::Approval, ToolCallStatus::Open),
        ]
    );
    let [taken, never, answered, open] = &all.data[..] else {
        panic!("{all:?}")
    };
    assert_eq!(never.arguments, json!("not JSON"));
    assert_eq!(
        (answered.arguments.clone(), &answered.agent_version),
        (json!({"title": "t"}), &None)
    );
    assert_eq!(taken.outcome.unwrap().as_str(), "denied");
    assert!(
        taken.answered_at.is_some() && taken.asked_at.is_none() && taken.agent_version.is_some()
    );
    assert!(never.asked_at.is_some() && never.expires_at.is_none() && never.outcome.is_none());
    assert!(open.expires_at.unwrap().as_millis() - open.asked_at.unwrap().as_millis() == 600_000);

    for (filter, ids) in [
        (ToolCallStatus::Open, ["b", "0"]),
        (ToolCallStatus::Answered, ["a", "c"]),
    ] {
        let page = client
            .tool_calls(&id, Some(filter), None, None, None)
            .await
            .unwrap();
        assert_eq!(
            page.data
                .iter()
                .map(|c| c.call_id.as_str())
                .collect::<Vec<_>>(),
            ids
        );
    }
    let (mut paged, mut cursor) = (Vec::new(), None);
    loop {
        let page = client
            .tool_calls(&id, None, None, cursor.as_deref(), Some(1))
            .await
            .unwrap();
        paged.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, all.data);
    for (query, field) in [
        ("status=closed", "status"),
        ("cursor=x", "cursor"),
        ("owner_id=a}b", "owner_id"),
        ("limit=0", "limit"),
    ] {
        let refused = gateway
            .get(&format!("/v1/tasks/{id}/tool-calls?{query}"))
            .await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field]),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_early_answer_is_kept() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    hand.ask(&mut claimed, 1, &[Ask::new(WaitKind::Caller, "c1")])
        .await;
    let early = gateway
        .post(&path(&id, "c1", "result"), &json!({"result": null}))
        .await;
    assert_eq!(
        (early.status, &early.body["task_status"]),
        (200, &json!("processing"))
    );
    assert_eq!(status(&gateway, &id).await, "processing");
    let answered = gateway.wait(&id, &WaitKey::Call("c1".to_owned())).await;
    assert!(
        matches!(
            answered,
            WaitStatus::Answered {
                payload: Value::Null,
                ..
            }
        ),
        "{answered:?}"
    );
}

#[tokio::test]
async fn the_first_answer_counts_and_the_same_is_known_again() {
    let gateway = gateway().await;
    let id = gateway
        .parked(
            &json!({}),
            &[
                Ask::new(WaitKind::Caller, "c1"),
                Ask::new(WaitKind::Caller, "c2"),
            ],
        )
        .await;
    let result = path(&id, "c1", "result");
    let body = json!({"result": {"a": 1}, "by": "ana"});
    assert_eq!(gateway.post(&result, &body).await.body["replayed"], false);
    // Who sends it does not count.
    for again in [&body, &json!({"result": {"a": 1}, "by": "ben"})] {
        let again = gateway.post(&result, again).await;
        assert_eq!(
            (again.status, &again.body["replayed"]),
            (200, &json!(true)),
            "{again:?}"
        );
        assert_eq!(again.body["outcome"], "result");
    }
    let other = gateway.post(&result, &json!({"result": {"a": 2}})).await;
    assert_eq!((other.status, other.code()), (409, "tool_call_answered"));
    assert_eq!(other.body["detail"], "another answer came first: result");
    let error = gateway
        .post(&path(&id, "c1", "error"), &json!({"message": "m"}))
        .await;
    assert_eq!((error.status, error.code()), (409, "tool_call_answered"));
    assert_eq!(gateway.events_of(&id, "tool_call_answered").await.len(), 1);
    // Part of the conversation now, and still known.
    gateway
        .post(&path(&id, "c2", "result"), &json!({"result": 2}))
        .await;
    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    hand.take(&mut claimed, 1, vec![WaitKey::Call("c1".to_owned())])
        .await;
    assert_eq!(gateway.post(&result, &body).await.body["replayed"], true);
    assert_eq!(
        gateway.post(&result, &json!({"result": 7})).await.code(),
        "tool_call_answered"
    );
}

#[tokio::test]
async fn of_a_hundred_answers_at_once_one_counts() {
    let gateway = gateway().await;
    let id = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Operator, "c1")])
        .await;
    let result = path(&id, "c1", "result");
    let answers = (0..100).map(|n| {
        let (gateway, result) = (&gateway, &result);
        async move { gateway.post(result, &json!({"result": n})).await }
    });
    let answers = futures::future::join_all(answers).await;
    let mut seen = BTreeMap::new();
    for answer in &answers {
        *seen.entry((answer.status, answer.code())).or_insert(0) += 1;
    }
    assert_eq!(
        seen,
        BTreeMap::from([((200, ""), 1), ((409, "tool_call_answered"), 99)])
    );
    assert_eq!(gateway.events_of(&id, "tool_call_answered").await.len(), 1);
    assert_eq!(gateway.events_of(&id, "run_unparked").await.len(), 1);
    let winner = answers
        .iter()
        .position(|answer| answer.status == 200)
        .unwrap();
    let stored = gateway.wait(&id, &WaitKey::Call("c1".to_owned())).await;
    assert!(matches!(stored, WaitStatus::Answered { payload, .. } if payload == json!(winner)));
}
