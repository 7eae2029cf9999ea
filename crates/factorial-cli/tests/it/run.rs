//! `factorial run` against a real `factorial dev`.

use std::io::Write as _;
use std::process::Stdio;

use rustix::process::Signal;

use super::support::{Dev, Process, directory};

/// A query whose first try breaks off in the middle of the text. Tries are counted by query.
fn cut(query: &str) -> String {
    let fault = r#"{"fault":{"cut":{"after_tokens":4}},"fail_first":1}"#;
    format!("{query} [[sim:reply=All of the answer, at last.]] [[sim:behaviour={fault}]]")
}

#[test]
fn answers_and_exit_codes() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");

    let said = dev.ask(&["run", "assistant", "What time is it?"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("→ current_time"), "{said:?}");
    assert!(said.err.contains("✓ current_time"), "{said:?}");
    assert!(said.err.contains("completed in"), "{said:?}");
    assert!(
        !said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'),
        "{said:?}"
    );

    let json = dev
        .ask(&["run", "assistant", "[[sim:reply=x]]", "-o", "json"])
        .json();
    assert_eq!(json["status"], "completed");
    assert_eq!(json["output"], "x");

    let refused = r#"[[sim:behaviour={"fault":{"status":{"status":401}}}]]"#;
    let said = dev.ask(&["run", "assistant", refused]);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("authentication"), "{said:?}");

    let said = dev.ask(&["run", "asistant", "x"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.err.contains("known agents: assistant"), "{said:?}");
    assert!(said.err.contains("did you mean assistant?"), "{said:?}");

    let said = dev.ask(&["run", "assistant", "", "--owner", "a b"]);
    assert_eq!(said.code, 5, "{said:?}");
    assert!(
        said.err.contains("/owner_id:") && said.err.contains("/query:"),
        "{said:?}"
    );

    for wrong in [
        &["run", "assistant", "x", "--context", "{"][..],
        &["run", "assistant", "x", "--metadata", "novalue"],
        &["run", "assistant", "x", "--priority", "10"],
        &["run", "assistant"],
    ] {
        assert_eq!(dev.ask(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn text_that_is_void_is_told_and_never_piped() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let said = dev.ask(&["run", "assistant", &cut("one")]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "All of the answer, at last.\n"),
        "{said:?}"
    );
    assert!(said.err.contains("attempt 1 failed"), "{said:?}");

    let said = dev.ask(&["run", "assistant", &cut("two"), "--stream"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.ends_with("\nAll of the answer, at last.\n"),
        "{said:?}"
    );
    assert!(said.out.starts_with("All of"), "{said:?}");
    assert!(
        said.err
            .contains("run again by attempt 2; the answer starts anew"),
        "{said:?}"
    );

    let said = dev.ask(&["run", "assistant", &cut("three"), "--no-stream"]);
    assert_eq!(said.out, "All of the answer, at last.\n", "{said:?}");
}

#[test]
fn options_reach_the_task() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let mut command = dev.client(&[
        "run",
        "assistant",
        "-",
        "--owner",
        "team/a",
        "--context",
        r#"{"a":1}"#,
        "--priority",
        "9",
        "--metadata",
        "k=v=w",
        "--metadata",
        "l=",
        "--delay",
        "0.2",
        "--idempotency-key",
        "once",
        "--detach",
    ]);
    let mut submit = || {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"[[sim:reply=one]]\nline two\n")
            .unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let id = submit();
    assert_eq!(submit(), id, "the key makes them one");
    let result = dev.ask(&["tasks", "result", &id, "--wait", "30"]);
    assert_eq!(
        (result.code, result.out.as_str()),
        (0, "one\n"),
        "{result:?}"
    );
    let task = dev.ask(&["tasks", "get", &id, "-o", "json"]).json();
    assert_eq!(task["owner_id"], "team/a");
    assert_eq!(task["priority"], 9);
    assert_eq!(task["metadata"]["k"], "v=w");
    assert_eq!(task["metadata"]["l"], "");

    let more = [
        "run",
        "assistant",
        "[[sim:reply=two]]",
        "--owner",
        "team/a",
        "--previous",
        &id,
        "-o",
        "json",
    ];
    let second = dev.ask(&more).json()["id"].as_str().unwrap().to_owned();
    let messages = dev.ask(&["tasks", "messages", &second]);
    assert!(
        messages.out.contains("line two") && messages.out.contains("two"),
        "{messages:?}"
    );
}

#[test]
fn ctrl_c_cancels_the_task() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let mut run = Process::start(&mut dev.client(&[
        "run",
        "assistant",
        "[[sim:noop]] [[sim:latency_ms=600000]]",
    ]));
    let head = run.read_err_until("queued");
    let id = head.split_whitespace().nth(2).unwrap().to_owned();
    dev.await_status(&id, "processing");
    run.signal(Signal::INT);
    let said = run.end();
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("cancelling"), "{said:?}");
    let task = dev.ask(&["tasks", "get", &id, "-o", "json"]).json();
    assert_eq!(task["status"], "cancelled");
    assert_eq!(task["cancel_reason"], "cancelled from the command line");
}
