//! What children are asked, and what is told of their ends.

use super::*;

fn tool(fan_out: Option<&str>) -> AgentToolDefinition {
    AgentToolDefinition {
        fan_out: fan_out.map(str::to_owned),
        max_children: Some(2),
        ..AgentToolDefinition::new("b".parse().unwrap(), "d")
    }
}

#[test]
fn each_item_becomes_a_query() {
    let asks = |fan_out, args| queries(&tool(fan_out), &args).map_err(|error| error.message);
    assert_eq!(asks(None, json!({"query": "q"})), Ok(vec!["q".into()]));
    assert_eq!(asks(None, json!({"a": 1})), Ok(vec!["{\"a\":1}".into()]));
    assert_eq!(
        asks(Some("l"), json!({"l": ["x", {"query": "y", "z": 1}]})),
        Ok(vec!["x".into(), "y".into()])
    );
    assert_eq!(
        asks(Some("l"), json!({"l": [{"query": 5}, 7]})),
        Ok(vec!["{\"query\":5}".into(), "7".into()])
    );
    assert_eq!(asks(Some("l"), json!({"l": []})), Ok(vec![]));
    assert_eq!(
        asks(Some("l"), json!({"l": [1, 2, 3]})),
        Err("`l` has 3 items; at most 2 are allowed".into())
    );
    assert_eq!(asks(Some("l"), json!({})), Err("`l` must be a list".into()));
}

#[test]
fn one_child_tells_its_output_or_its_failure() {
    let told = |outcome, payload: Value| {
        let told = one(End::Answered(outcome, &payload));
        (told.content, told.error)
    };
    use WaitOutcome::{Cancelled, Closed, Completed, Failed, Interrupted, Timeout};
    assert_eq!(
        told(Completed, json!({"output": "text"})),
        ("text".into(), None)
    );
    assert_eq!(
        told(Completed, json!({"output": {"n": 1}})),
        ("{\"n\":1}".into(), None)
    );
    for (outcome, payload, kind, text) in [
        (
            Failed,
            json!({"failure": {"kind": "refused", "message": "no"}}),
            ToolErrorKind::ChildFailed,
            "error (child_failed): refused: no",
        ),
        (
            Cancelled,
            json!({"reason": "late"}),
            ToolErrorKind::ChildCancelled,
            "error (child_cancelled): the task was cancelled: late",
        ),
        (
            Timeout,
            json!({}),
            ToolErrorKind::Timeout,
            "error (timeout): there was no answer in time",
        ),
        (
            Interrupted,
            json!({}),
            ToolErrorKind::Interrupted,
            "error (interrupted): a new message came before the answer, which is not waited for any more",
        ),
        (
            Closed,
            json!({}),
            ToolErrorKind::Closed,
            "error (closed): the task ended before the answer came, and was started again",
        ),
    ] {
        assert_eq!(told(outcome, payload), (text.to_owned(), Some(kind)));
    }
    let refused = one(End::Refused("too_deep", "No."));
    assert_eq!(refused.content, "error (child_refused): too_deep: No.");
}

#[test]
fn many_children_tell_in_order_and_stay_json_when_they_are_long() {
    let output = |text: &str| json!({"output": text});
    let (long, short) = (output(&"é\n".repeat(200_000)), output("short"));
    let (failed, gone) = (
        json!({"failure": {"kind": "k", "message": "m"}}),
        json!({"reason": "why"}),
    );
    let ends = [
        End::Answered(WaitOutcome::Completed, &long),
        End::Answered(WaitOutcome::Failed, &failed),
        End::Answered(WaitOutcome::Cancelled, &gone),
        End::Refused("too_many", "No."),
        End::Answered(WaitOutcome::Completed, &short),
    ];
    let told = many(&ends);
    assert_eq!(told.error, None);
    assert!(told.content.len() <= MAX_RESULT_BYTES);
    let items: Vec<Value> = serde_json::from_str(&told.content).unwrap();
    let first = items[0]["output"].as_str().unwrap();
    assert!(first.starts_with("é\né") && first.ends_with("[cut off: 600000 bytes in all]"));
    assert_eq!(
        items[1..],
        [
            json!({"status": "failed", "failure": failed["failure"]}),
            json!({"status": "cancelled", "reason": "why"}),
            json!({"status": "refused", "failure": {"kind": "too_many", "message": "No."}}),
            json!({"status": "completed", "output": "short"}),
        ]
    );
    assert_eq!(
        many(&ends[1..4]).error,
        Some(ToolErrorKind::ChildFailed),
        "none completed"
    );
    assert_eq!((many(&[]).content.as_str(), many(&[]).error), ("[]", None));
    let thousand = vec![End::Answered(WaitOutcome::Completed, &long); 1000];
    let told = many(&thousand);
    let items: Vec<Value> = serde_json::from_str(&told.content).unwrap();
    assert_eq!(items.len(), 1000);
}

#[test]
fn ids_are_told_of_children_that_nobody_waits_for() {
    let yes = |id: &str| Made::Accepted(id.to_owned());
    let no = Made::Refused("too_many", "No.".to_owned());
    let told = |list, made: &[&Made]| {
        let told = ids(list, made);
        (told.content, told.error)
    };
    assert_eq!(
        told(false, &[&yes("x")]),
        ("{\"task_id\":\"x\"}".into(), None)
    );
    assert_eq!(
        told(true, &[&yes("x"), &yes("y")]),
        ("{\"task_ids\":[\"x\",\"y\"]}".into(), None)
    );
    assert_eq!(told(true, &[]), ("{\"task_ids\":[]}".into(), None));
    let (content, error) = told(true, &[&no, &yes("y")]);
    let content: Value = serde_json::from_str(&content).unwrap();
    let refused = json!([{"index": 0, "kind": "too_many", "message": "No."}]);
    assert_eq!(
        (content, error),
        (json!({"task_ids": ["y"], "refused": refused}), None)
    );
    assert_eq!(told(true, &[&no]).1, Some(ToolErrorKind::ChildRefused));
    assert_eq!(told(false, &[&no]).1, Some(ToolErrorKind::ChildRefused));
}
