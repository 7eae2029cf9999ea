//! Answers to calls: what is sent again, and what is asked how.

use factorial_api::{
    ApproveRequest, CallbackRequest, DenyRequest, ErrorCode, ToolCallError, ToolCallProgress,
    ToolCallResult, ToolCallStatus,
};
use factorial_client::{AskedFilter, Client};
use serde_json::{Value, json};

use crate::support::{broken, ok, problem, server, status};

fn answered(outcome: &str) -> Value {
    json!({"task_id": "x", "call_id": "c", "outcome": outcome, "replayed": true, "task_status": "queued"})
}

#[tokio::test]
async fn answers_are_repeated_and_reports_are_not() {
    let server = server([
        status(502),
        broken(vec!["{".to_owned()]),
        ok(answered("result")),
        problem(503, "store_unavailable", None),
        ok(answered("approved")),
        status(502),
        problem(409, "tool_call_answered", None),
    ])
    .await;
    let client = server.client();
    let result = ToolCallResult {
        result: Value::Null,
        by: None,
        owner_id: None,
    };
    assert!(
        client
            .answer_tool_call("x", "c", &result)
            .await
            .unwrap()
            .replayed
    );
    client
        .approve("x", "c", &ApproveRequest::default())
        .await
        .unwrap();
    let report = ToolCallProgress {
        progress: Some(0.5),
        ..ToolCallProgress::default()
    };
    client
        .report_tool_call_progress("x", "c", &report)
        .await
        .unwrap_err();
    let error = ToolCallError {
        message: "m".to_owned(),
        ..ToolCallError::default()
    };
    let refused = client.fail_tool_call("x", "c", &error).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::ToolCallAnswered));
    let verbs = [
        "result", "result", "result", "approve", "approve", "progress", "error",
    ];
    let lines = verbs.map(|verb| format!("POST /v1/tasks/x/tool-calls/c/{verb}"));
    assert_eq!(server.lines(), lines);
    let asked = server.asked();
    assert_eq!(asked[2].body, json!({"result": null}));
    assert_eq!(asked[4].body, json!({}));
    assert_eq!(asked[5].body, json!({"progress": 0.5}));
}

#[tokio::test]
async fn what_is_asked_is_on_the_wire() {
    let empty = || ok(json!({"data": []}));
    let server = server([
        empty(),
        empty(),
        empty(),
        ok(answered("denied")),
        ok(answered("error")),
        Box::new(|| axum::response::IntoResponse::into_response(axum::http::StatusCode::ACCEPTED)),
    ])
    .await;
    let client = server.client();
    let filter = AskedFilter {
        owner_id: Some("a&b".to_owned()),
        agent: Some("w".to_owned()),
        older_than_seconds: Some(60),
    };
    client.approvals(&filter, Some("c"), Some(3)).await.unwrap();
    client
        .asked_tool_calls(&AskedFilter::default(), None, None)
        .await
        .unwrap();
    client
        .tool_calls("x", Some(ToolCallStatus::Open), Some("o"), None, None)
        .await
        .unwrap();
    let denial = DenyRequest {
        reason: Some("r".to_owned()),
        ..DenyRequest::default()
    };
    client.deny("x", "c/1", &denial).await.unwrap();
    let failed = serde_json::from_value(json!({"error": {"message": "m"}})).unwrap();
    client.answer_callback("t.o.k", &failed).await.unwrap();
    client
        .report_callback_progress("t.o.k", &ToolCallProgress::default())
        .await
        .unwrap();
    assert_eq!(
        server.lines(),
        [
            "GET /v1/approvals?cursor=c&limit=3&owner_id=a%26b&agent=w&older_than_seconds=60",
            "GET /v1/tool-calls",
            "GET /v1/tasks/x/tool-calls?status=open&owner_id=o",
            "POST /v1/tasks/x/tool-calls/c%2F1/deny",
            "POST /v1/callbacks/t.o.k",
            "POST /v1/callbacks/t.o.k/progress",
        ]
    );
    assert_eq!(server.asked()[4].body, json!({"error": {"message": "m"}}));
    let tree = client.task_tree("x", Some("o"), Some(7)).await;
    assert!(tree.is_err());
    assert_eq!(server.lines()[6], "GET /v1/tasks/x/tree?limit=7&owner_id=o");
}

#[tokio::test]
async fn a_callback_token_is_not_told() {
    let nobody = Client::builder("http://127.0.0.1:1/base").build().unwrap();
    let answer = CallbackRequest::default();
    let failed = nobody.answer_callback("t.o.k", &answer).await.unwrap_err();
    assert!(
        !format!("{failed} {failed:?}").contains("t.o.k"),
        "{failed:?}"
    );
    assert!(
        failed
            .to_string()
            .contains("127.0.0.1:1/base/v1/callbacks/"),
        "{failed}"
    );
}

#[test]
fn a_result_of_null_is_a_result() {
    for (text, result) in [
        (r#"{"result":null}"#, Some(Value::Null)),
        (r#"{"result":7}"#, Some(json!(7))),
        ("{}", None),
    ] {
        let request: CallbackRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.result, result);
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }
}
