//! Every row of the plan: what a tool is, what is known of a call, and what comes next.

mod known;

use std::sync::Arc;

use serde_json::json;

use self::known::{DAY, Known, VERSION, answered, line, open, tools, wait};
use super::*;
use crate::{CallerTool, FunctionRegistry, SpawnRefusal, Tool, ToolError, ToolSet, ToolSpec};

#[test]
fn a_new_call() {
    let new = Known::of(&[]);
    new.expect("nothing", "{}", "give unknown_tool");
    new.expect("plain", "{", "give invalid_arguments");
    new.expect("plain", r#"{"n":"x"}"#, "give invalid_arguments");
    new.expect("plain", "", "run {}");
    new.expect("once", "{}", "run {}");
    new.expect("asked", "{}", "run {}");
    new.expect("asked", r#"{"n":1}"#, "register a:c approval 60");
    new.expect("asked", r#"{"n":"x"}"#, "give invalid_arguments");
    new.expect("asked_once", "{}", "register a:c approval 86400");
    new.expect("later", "{}", "register c caller 7");
    new.expect("later", "[]", "give invalid_arguments");
    new.expect("asked_later", "{}", "register a:c approval 86400");
    new.expect("sent", "{}", "register c operator 86400");
    new.expect("asked_sent", "{}", "register a:c approval never");
    new.expect("browser", r#"{"url":"x"}"#, "register c caller never");
    new.expect("browser", "{}", "give invalid_arguments");
    new.expect("one", r#"{"query":"q"}"#, "spawn 0/1 q");
    new.expect("one", "{}", "give invalid_arguments");
    new.expect("list", r#"{"l":["x","y"]}"#, "spawn 0/2 x, 1/2 y");
    new.expect("list", r#"{"l":[]}"#, "give: []");
    new.expect("list", r#"{"l":[1,2,3,4]}"#, "give invalid_arguments");
    new.expect("list", "{}", "give invalid_arguments");
    new.expect("fire", r#"{"l":["x"]}"#, "register a:c approval 86400");
    let unreachable = Known {
        reachable: false,
        ..Known::of(&[])
    };
    unreachable.expect("sent", "{}", "give no_callback_url");
    unreachable.expect("asked_sent", "{}", "give no_callback_url");
    unreachable.expect("later", "{}", "register c caller 7");
}

#[test]
fn a_child_gets_the_tighter_limits() {
    let Plan::Spawn(children) = Known::of(&[]).plan("one", r#"{"query":"q"}"#) else {
        panic!("no children")
    };
    let limits = Limits {
        max_turns: Some(4),
        max_total_tokens: Some(500),
        ..Limits::default()
    };
    let expected = NewChild {
        call_id: "c".into(),
        index: 0,
        siblings: 1,
        agent: "b".into(),
        query: "q".into(),
        context: json!({"tenant": 7}),
        awaited: true,
        timeout: DAY,
        max_depth: 3,
        limits,
    };
    assert_eq!(children, [expected]);
}

#[test]
fn a_resumed_call_without_waits() {
    let resumed = Known::resumed(&[]);
    resumed.expect("plain", "{}", "run {}");
    resumed.expect("once", "{}", "give unknown_outcome");
    resumed.expect("asked_once", "{}", "give unknown_outcome");
    resumed.expect("later", "{}", "register c caller 7");
    resumed.expect("one", r#"{"query":"q"}"#, "spawn 0/1 q");
}

#[test]
fn an_approval() {
    use WaitOutcome::{Approved, Closed, Denied, Interrupted, Result, Timeout};
    let edited = json!({"arguments": {"n": 5}, "by": "ann"});
    for (status, tool, expected) in [
        (open("a:c"), "asked", "wait"),
        (
            answered("a:c", Approved, json!({})),
            "asked",
            r#"run {"n":1}"#,
        ),
        (
            answered("a:c", Approved, json!({})),
            "plain",
            r#"run {"n":1}"#,
        ),
        (
            answered("a:c", Approved, json!({"arguments": null})),
            "asked",
            r#"run {"n":1}"#,
        ),
        (
            answered("a:c", Approved, edited.clone()),
            "asked",
            r#"run {"n":5}"#,
        ),
        (
            answered("a:c", Approved, edited),
            "asked_once",
            r#"take a:c, run {"n":5}"#,
        ),
        (
            answered("a:c", Approved, json!({"arguments": {"n": "x"}})),
            "asked",
            "give invalid_arguments",
        ),
        (
            answered("a:c", Approved, json!({})),
            "asked_later",
            "register c operator never",
        ),
        (
            answered("a:c", Approved, json!({})),
            "asked_sent",
            "register c operator 86400",
        ),
        (
            answered("a:c", Approved, json!({"arguments": {"l": ["z"]}})),
            "list",
            "spawn 0/1 z",
        ),
        (
            answered("a:c", Approved, json!({"arguments": {"l": [1, 2, 3, 4]}})),
            "list",
            "give invalid_arguments",
        ),
        (
            answered("a:c", Denied, json!({"reason": "no"})),
            "asked",
            "give denied",
        ),
        (answered("a:c", Timeout, json!({})), "asked", "give timeout"),
        (
            answered("a:c", Interrupted, json!({})),
            "asked",
            "give interrupted",
        ),
        (answered("a:c", Closed, json!({})), "asked", "give closed"),
        (answered("a:c", Result, json!({})), "asked", "give failed"),
        (
            wait("a:c", WaitStatus::Taken(Approved)),
            "asked_once",
            "give unknown_outcome",
        ),
        (open("a:c"), "nothing", "give unknown_tool"),
    ] {
        Known::resumed(&[status]).expect(tool, r#"{"n":1}"#, expected);
    }
}

#[test]
fn a_yes_to_another_version_is_asked_for_again() {
    for version in [Some("v0".to_owned()), None] {
        let yes = Wait {
            version,
            ..answered("a:c", WaitOutcome::Approved, json!({}))
        };
        let known = Known::resumed(&[yes]);
        known.expect("asked", r#"{"n":1}"#, "register a:c approval 60 again");
        known.expect("plain", "{}", "register a:c approval 86400 again");
    }
    let no = Wait {
        version: None,
        ..answered("a:c", WaitOutcome::Denied, json!({}))
    };
    Known::resumed(&[no]).expect("asked", r#"{"n":1}"#, "give denied");
}

#[test]
fn a_deferred_call() {
    use WaitOutcome::{Closed, Error, Interrupted, Result, Timeout};
    for (status, tool, expected) in [
        (open("c"), "later", "wait"),
        (open("c"), "sent", r#"send {"n":1}"#),
        (open("c"), "sent_once", "wait"),
        (open("c"), "nothing", "wait"),
        (open("c"), "plain", "wait"),
        (answered("c", Result, json!("text")), "later", "give: text"),
        (
            answered("c", Result, json!({"k": [1]})),
            "sent",
            r#"give: {"k":[1]}"#,
        ),
        (answered("c", Result, json!(null)), "nothing", "give: null"),
        (
            answered("c", Error, json!({"message": "no"})),
            "later",
            "give deferred_error",
        ),
        (answered("c", Timeout, json!({})), "later", "give timeout"),
        (
            answered("c", Interrupted, json!({})),
            "later",
            "give interrupted",
        ),
        (answered("c", Closed, json!({})), "later", "give closed"),
        (
            wait("c", WaitStatus::Taken(Result)),
            "later",
            "give unknown_outcome",
        ),
    ] {
        Known::resumed(&[status]).expect(tool, r#"{"n":1}"#, expected);
    }
    let edited = answered("a:c", WaitOutcome::Approved, json!({"arguments": {"n": 5}}));
    Known::resumed(&[open("c"), edited]).expect("asked_sent", r#"{"n":1}"#, r#"send {"n":5}"#);
    // What this run has registered it sends once.
    let mut known = Known::of(&[]);
    let new = NewWait {
        key: WaitKey::Call("c".into()),
        kind: WaitKind::Operator,
        timeout: None,
    };
    known.waits.opened(new, VERSION);
    known.expect("sent_once", "{}", "send {}");
    known.waits.sent("c");
    known.expect("sent_once", "{}", "wait");
    known.expect("sent", "{}", "wait");
}

#[test]
fn children() {
    use WaitOutcome::{Completed, Failed, Timeout};
    let done = |key: &str| answered(key, Completed, json!({"output": key}));
    let two = r#"{"l":["x","y"]}"#;
    for (waits, tool, arguments, expected) in [
        (vec![open("c/0")], "one", r#"{"query":"q"}"#, "wait"),
        (vec![done("c/0")], "one", r#"{"query":"q"}"#, "give: c/0"),
        (
            vec![answered("c/0", Failed, json!({}))],
            "one",
            r#"{"query":"q"}"#,
            "give child_failed",
        ),
        (
            vec![answered("c/0", Timeout, json!({}))],
            "one",
            r#"{"query":"q"}"#,
            "give timeout",
        ),
        (vec![open("c/1")], "list", two, "spawn 0/2 x"),
        (vec![done("c/0"), open("c/1")], "list", two, "wait"),
        (
            vec![done("c/0"), done("c/1")],
            "list",
            two,
            r#"give: [{"status":"completed","output":"c/0"},{"status":"completed","output":"c/1"}]"#,
        ),
        // The agent has changed: what is registered counts.
        (vec![open("c/0")], "nothing", "{}", "wait"),
        (vec![done("c/0")], "nothing", "{}", "give: c/0"),
        (vec![done("c/0")], "list", "{}", "give: c/0"),
        (
            vec![done("c/0"), done("c/1")],
            "plain",
            "{}",
            r#"give: [{"status":"completed","output":"c/0"},{"status":"completed","output":"c/1"}]"#,
        ),
        (
            vec![done("c/0")],
            "fire",
            r#"{"l":["x"]}"#,
            r#"give: [{"status":"completed","output":"c/0"}]"#,
        ),
    ] {
        Known::resumed(&waits).expect(tool, arguments, expected);
    }
    // The approved list, also when the yes was to an earlier version: its children are there.
    let yes = Wait {
        version: None,
        ..answered(
            "a:c",
            WaitOutcome::Approved,
            json!({"arguments": {"l": ["z", "w"]}}),
        )
    };
    Known::resumed(&[yes, open("c/0")]).expect("list", two, "spawn 1/2 w");
}

#[test]
fn children_that_were_refused_or_are_not_waited_for() {
    let key = |index| WaitKey::Child("c".into(), index);
    let mut known = Known::of(&[answered(
        "c/0",
        WaitOutcome::Completed,
        json!({"output": 1}),
    )]);
    known.waits.note(key(1), SpawnRefusal::TooDeep.into());
    let plan = line(&known.plan("list", r#"{"l":["x","y"]}"#));
    assert!(
        plan.starts_with(r#"give: [{"status":"completed","output":1},{"status":"refused","#),
        "{plan}"
    );
    let mut known = Known::of(&[]);
    known.waits.note(key(0), SpawnRefusal::UnknownAgent.into());
    known.expect("one", r#"{"query":"q"}"#, "give child_refused");
    let yes = answered("a:c", WaitOutcome::Approved, json!({}));
    let mut known = Known::resumed(&[yes]);
    known.expect("fire", r#"{"l":["x"]}"#, "spawn 0/1 x");
    known.waits.note(key(0), Made::Accepted("t".into()));
    known.expect("fire", r#"{"l":["x"]}"#, r#"give: {"task_ids":["t"]}"#);
}

#[test]
fn tools_of_the_caller_are_offered_but_do_not_replace_others() {
    let own = tools();
    let tool = |name: &str, parameters| CallerTool {
        name: name.into(),
        description: "d".into(),
        parameters,
        timeout: None,
    };
    let tools = [tool("plain", json!({})), tool("mine", json!({}))];
    let toolbox = Toolbox::new(&own, Vec::new(), &tools).unwrap();
    let names: Vec<&str> = toolbox
        .specs()
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    assert_eq!(names.iter().filter(|name| **name == "plain").count(), 1);
    assert_eq!(names.last(), Some(&"mine"));
    assert!(Toolbox::new(&own, Vec::new(), &[tool("bad", json!({"type": 5}))]).is_err());
    assert!(Toolbox::new(&own, Vec::new(), &[tool("a b", json!({}))]).is_err());
    assert!(
        Toolbox::new(
            &own,
            Vec::new(),
            &[tool("m", json!({})), tool("m", json!({}))]
        )
        .is_err()
    );
    let spec: Arc<dyn Tool> = {
        let mut functions = FunctionRegistry::new();
        functions.register(ToolSpec::new("f", "d", json!({})), |_, _| async {
            Ok::<_, ToolError>("")
        });
        functions.get("f").unwrap()
    };
    let mut set = ToolSet::default();
    set.add(spec, Some(&crate::ApprovalSpec::default()))
        .unwrap();
    assert!(
        set.get("f")
            .is_some_and(|entry| entry.needs_approval(&json!({})))
    );
}
