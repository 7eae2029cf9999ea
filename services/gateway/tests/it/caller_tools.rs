//! Tools that the caller answers, and the trace that a submission belongs to.

use serde_json::{Value, json};

use crate::support::{gateway, submission};

fn tool(name: &str) -> Value {
    json!({"name": name, "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}})
}

#[tokio::test]
async fn tools_reach_the_worker_as_they_were_declared() {
    let gateway = gateway().await;
    let mut second = tool("b");
    second["timeout_seconds"] = json!(600.5);
    let tools = json!([tool("a"), second]);
    gateway.submit(&json!({"tools": tools})).await;
    let claimed = gateway.hand().claim().await;
    assert_eq!(claimed.record.tools, Some(tools));
    gateway.submit(&json!({"tools": []})).await;
    assert_eq!(gateway.hand().claim().await.record.tools, None);
}

#[tokio::test]
async fn tools_that_cannot_be_offered_are_refused() {
    let gateway = gateway().await;
    let schema = |schema: Value| json!({"name": "a", "description": "d", "parameters": schema});
    for (tools, field) in [
        (json!([tool("a"), tool("calculator")]), "/tools/1/name"),
        (json!([tool("a"), tool("a")]), "/tools/1/name"),
        (json!([tool("a b")]), "/tools/0/name"),
        (json!(vec![tool("a"); 33]), "/tools"),
        (
            json!([schema(
                json!({"type": "object", "title": "x".repeat(70_000)})
            )]),
            "/tools",
        ),
        (
            json!([schema(json!({"type": "array"}))]),
            "/tools/0/parameters",
        ),
        (
            json!([schema(
                json!({"type": "object", "properties": {"x": {"minimum": "1"}}})
            )]),
            "/tools/0/parameters/properties/x/minimum",
        ),
        (
            json!([schema(
                json!({"type": "object", "properties": {"x": {"pattern": "("}}})
            )]),
            "/tools/0/parameters/properties/x/pattern",
        ),
        (
            json!([schema(
                json!({"type": "object", "$ref": "http://127.0.0.1:1/schema"})
            )]),
            "/tools/0/parameters",
        ),
        (json!([{"name": "a"}]), "/tools/0"),
        (
            json!([{"name": "a", "parameters": {"type": "object"}, "asks": "operator"}]),
            "/tools/0/asks",
        ),
        (
            json!([{"name": "a", "parameters": {"type": "object"}, "timeout_seconds": 0}]),
            "/tools/0/timeout_seconds",
        ),
    ] {
        let refused = gateway
            .post("/v1/tasks", &submission(&json!({"tools": tools})))
            .await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field]),
            "{refused:?}"
        );
    }
    assert_eq!(gateway.get("/v1/tasks").await.body["data"], json!([]));
}

#[tokio::test]
async fn the_trace_goes_on() {
    let gateway = gateway().await;
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (sent, kept) in [
        (Some(good), Some(good)),
        (Some("00-zz"), None),
        (None, None),
    ] {
        let mut request = gateway
            .request(reqwest::Method::POST, "/v1/tasks")
            .json(&submission(&json!({})));
        if let Some(sent) = sent {
            request = request.header("traceparent", sent);
        }
        assert_eq!(gateway.send(request).await.status, 201);
        assert_eq!(gateway.hand().claim().await.record.trace.as_deref(), kept);
    }
}
