//! Faults in what is said, and error responses.

use factorial_sim::{Behaviour, Fault, RetryAfter};
use serde_json::Value;

use crate::support::*;

#[tokio::test]
async fn statuses_have_the_providers_errors() {
    let h = Harness::start().await;
    for (status, code, kind, usual) in [
        (429, None, "rate_limit_error", Some("rate_limit_exceeded")),
        (
            429,
            Some("insufficient_quota"),
            "insufficient_quota",
            Some("insufficient_quota"),
        ),
        (500, None, "server_error", None),
        (503, None, "server_error", None),
        (401, None, "authentication_error", Some("invalid_api_key")),
        (403, None, "permission_error", Some("permission_denied")),
        (404, None, "invalid_request_error", Some("model_not_found")),
        (408, None, "invalid_request_error", None),
        (
            400,
            Some("context_length_exceeded"),
            "invalid_request_error",
            Some("context_length_exceeded"),
        ),
    ] {
        h.sim.behave(Behaviour::fault(Fault::Status {
            status,
            code: code.map(str::to_owned),
            retry_after: None,
            retry_after_ms: None,
        }));
        for body in [ask("hello"), streamed(&ask("hello"))] {
            let response = h.post(&body).await;
            assert_eq!(response.status(), status);
            assert!(response.headers().get("retry-after").is_none());
            let error: Value = response.json().await.unwrap();
            assert_eq!(error["error"]["type"], kind);
            assert_eq!(error["error"]["code"].as_str(), usual);
        }
    }
}

#[tokio::test]
async fn retry_after_in_each_form() {
    let h = Harness::start().await;
    let limited = |retry_after, retry_after_ms| {
        Behaviour::fault(Fault::Status {
            status: 429,
            code: None,
            retry_after,
            retry_after_ms,
        })
    };
    h.sim
        .behave(limited(Some(RetryAfter::Seconds(7)), Some(1500)));
    let response = h.post(&ask("hello")).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["retry-after-ms"], "1500");

    h.sim
        .behave(limited(Some(RetryAfter::DateInSeconds(30)), None));
    let response = h.post(&ask("hello")).await;
    let date = response.headers()["retry-after"].to_str().unwrap();
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    let then = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ahead = (then - jiff::Timestamp::now()).get_seconds();
    assert!((20..=30).contains(&ahead), "{ahead}");

    h.sim
        .behave(limited(Some(RetryAfter::Text("soon".into())), None));
    assert_eq!(h.post(&ask("hello")).await.headers()["retry-after"], "soon");
}

#[tokio::test]
async fn refusals_filters_and_lengths() {
    for (fault, content, refusal, finish) in [
        (Fault::Refusal, Value::Null, true, "stop"),
        (Fault::ContentFilter, "".into(), false, "content_filter"),
        (Fault::Length, "abcd".into(), false, "length"),
    ] {
        let h = Harness::faulty(Behaviour::fault(fault)).await;
        let body = ask_with_tool("[[sim:reply=abcdefgh]]");
        let whole = h.chat(&body).await;
        let choice = &whole["choices"][0];
        assert_eq!(choice["message"]["content"], content);
        assert_eq!(choice["message"]["refusal"].is_string(), refusal);
        assert_eq!(choice["finish_reason"], finish);
        let joined = joined(&events(&h.stream_text(&body).await));
        assert_eq!(joined["message"], choice["message"]);
        assert_eq!(joined["finish_reason"], finish);
    }
}

#[tokio::test]
async fn choices_may_be_empty() {
    let h = Harness::faulty(Behaviour::fault(Fault::EmptyChoices)).await;
    assert_eq!(
        h.chat(&ask("hello")).await["choices"],
        serde_json::json!([])
    );
    let events = events(&h.stream_text(&ask("hello")).await);
    assert!(
        events
            .iter()
            .all(|event| event["choices"] == serde_json::json!([]))
    );
}

#[tokio::test]
async fn tool_calls_may_be_wrong() {
    let h = Harness::faulty(Behaviour::fault(Fault::InvalidArguments)).await;
    let body = ask_with_tool("weather");
    let reply = h.chat(&body).await;
    serde_json::from_str::<Value>(arguments(&reply)).unwrap_err();
    // Also where the policy would answer.
    let again = h.chat(&answered(body.clone(), &reply, "r")).await;
    serde_json::from_str::<Value>(arguments(&again)).unwrap_err();

    h.sim.behave(Behaviour::fault(Fault::UnknownTool));
    assert_eq!(call_names(&h.chat(&body).await), ["no_such_tool"]);
    assert_eq!(
        call_names(&h.chat(&ask("no tools")).await),
        ["no_such_tool"]
    );
}

#[tokio::test]
async fn a_tool_loop_has_no_end() {
    let h = Harness::faulty(Behaviour::fault(Fault::ToolLoop)).await;
    let mut body = ask_with_tool("weather [[sim:noop]]");
    let mut ids = std::collections::HashSet::new();
    for _ in 0..20 {
        let reply = h.chat(&body).await;
        assert_eq!(call_names(&reply), ["get_weather"]);
        let id = &reply["choices"][0]["message"]["tool_calls"][0]["id"];
        assert!(ids.insert(id.as_str().unwrap().to_owned()));
        body = answered(body, &reply, "r");
    }
    assert_eq!(
        text(&h.chat(&ask("without tools [[sim:noop]]")).await),
        "ok"
    );
}

#[tokio::test]
async fn structured_output_may_be_invalid() {
    let h = Harness::faulty(Behaviour::fault(Fault::InvalidOutput).times(1)).await;
    let format = serde_json::json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}});
    let body = with(ask("go"), "response_format", format);
    serde_json::from_str::<Value>(text(&h.chat(&body).await)).unwrap_err();
    serde_json::from_str::<Value>(text(&h.chat(&body).await)).unwrap();
}

#[tokio::test]
async fn replies_may_be_huge() {
    let h = Harness::faulty(Behaviour::fault(Fault::Huge { bytes: 5_000_000 })).await;
    assert_eq!(text(&h.chat(&ask("hello")).await).len(), 5_000_000);
    let joined = joined(&events(&h.stream_text(&ask("hello")).await));
    assert_eq!(
        joined["message"]["content"].as_str().unwrap().len(),
        5_000_000
    );
}
