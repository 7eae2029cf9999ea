//! Children, deferred tools and approvals from the command line.

use std::fs;
use std::path::Path;

use super::support::{Dev, Process, Said, directory};

const MODEL: &str = "instructions: x\nmodel: { provider: openai, name: gpt-4.1-mini }\n";
const PLANNER: &str = r"tools:
  - { kind: agent, agent: researcher, name: research, description: Researches., fan_out: topics }
  - kind: deferred
    name: ask_legal
    description: Asks the legal department.
    parameters: { type: object, properties: { question: { type: string } }, required: [question] }
    asks: operator
  - { kind: function, name: calculator, approval: { timeout_seconds: never } }
";

fn dev(dir: &Path) -> Dev {
    fs::create_dir(dir.join("agents")).unwrap();
    for (name, rest) in [("planner", PLANNER), ("researcher", "")] {
        let text = format!("name: {name}\n{MODEL}{rest}");
        fs::write(dir.join(format!("agents/{name}.yaml")), text).unwrap();
    }
    Dev::start(dir, "server")
}

fn query(args: &str) -> String {
    format!("[[sim:args={args}]]")
}

fn refused(said: &Said, code: i32, text: &str) {
    assert_eq!(said.code, code, "{said:?}");
    assert!(said.err.contains(text), "{text}: {said:?}");
}

#[test]
fn all_kinds_of_waits_are_told_listed_and_answered() {
    let dir = directory();
    let dev = dev(dir.path());
    let all = r#"{"research":{"topics":["tea","coffee"]},"ask_legal":{"question":"May we?"},
        "calculator":{"expression":"1+1"}}"#;
    let mut run = Process::start(&mut dev.client(&["run", "planner", &query(all)]));
    let mut told = run.read_err_until("? calculator needs a yes");
    told.push_str(&run.read_err_until("\"1+1\"}\n"));
    let id = told.split_whitespace().nth(2).unwrap().to_owned();
    dev.await_status(&id, "pending_tool_results");
    let see = format!("factorial approvals approve {id}\n");
    assert!(told.contains(&see), "{told}");
    let see = format!("ask_legal waits for an operator: factorial tasks answer {id} call_");
    assert!(told.contains(&see), "{told}");

    let list = dev.ask(&["approvals"]);
    assert!(list.out.contains("calculator  never"), "{list:?}");
    assert_eq!(list.out, dev.ask(&["approvals", "list"]).out);
    let none = ["approvals", "list", "--older-than", "1h", "--all"];
    assert_eq!(dev.ask(&none).out, "No open approvals.\n");
    let none = ["approvals", "--agent", "researcher", "-o", "json"];
    assert_eq!(dev.ask(&none).json()["data"].as_array().unwrap().len(), 0);
    let asked = dev.ask(&["tool-calls", "list"]);
    assert!(
        asked.out.contains("{\"question\":\"May we?\"}"),
        "{asked:?}"
    );
    let calls = ["tasks", "tool-calls", &id, "-o", "json"];
    let calls = dev.ask(&calls).json();
    assert_eq!(calls["data"].as_array().unwrap().len(), 2, "{calls}");
    // The two children end by themselves.
    dev.await_told(&["tasks", "get", &id], "Awaiting      2 answers");

    let wrong = [
        "approvals",
        "approve",
        &id,
        "--arguments",
        r#"{"expression":1}"#,
    ];
    refused(&dev.ask(&wrong), 5, "/arguments/expression");
    let mut yes = dev.client(&["approvals", "approve", &id]);
    let yes = Process::start(yes.env("USER", "ana")).end();
    assert!(yes.out.contains(" approved; the task is "), "{yes:?}");
    let text = dev.ask(&[
        "tasks",
        "answer",
        &id,
        "--text",
        "Yes, you may.",
        "--by",
        "law",
    ]);
    assert!(
        text.out.contains(" answered; the task is queued"),
        "{text:?}"
    );
    let said = run.end();
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("Yes, you may."), "{said:?}");
    for line in [
        "✓ calculator approved by ana\n",
        "✓ ask_legal answered by law\n",
        "· goes on\n",
    ] {
        assert!(said.err.contains(line), "{line}: {said:?}");
    }

    let tree = dev.ask(&["tasks", "tree", &id]);
    let lines: Vec<&str> = tree.out.lines().collect();
    assert!(lines[1].starts_with("✓ planner "), "{tree:?}");
    assert!(lines[2].starts_with("├─ ✓ researcher "), "{tree:?}");
    assert!(lines[3].starts_with("└─ ✓ researcher "), "{tree:?}");
    assert!(lines[4].starts_with("3 tasks: 3 completed · "), "{tree:?}");
    let json = dev.ask(&["tasks", "tree", &id, "-o", "json"]).json();
    let child = json["root"]["children"][0]["id"].as_str().unwrap();
    let details = dev.ask(&["tasks", "get", child]);
    for fact in [format!("Parent        {id}"), format!("Root          {id}")] {
        assert!(details.out.contains(&fact), "{details:?}");
    }
    let details = dev.ask(&["tasks", "get", &id]);
    assert!(details.out.contains("Descendants   2 ended"), "{details:?}");
}

#[test]
fn many_children_are_counted() {
    let dir = directory();
    let dev = dev(dir.path());
    let topics: Vec<String> = (0..30).map(|n| format!("\"topic {n}\"")).collect();
    let args = format!(r#"{{"research":{{"topics":[{}]}}}}"#, topics.join(","));
    let said = dev.ask(&["run", "planner", &query(&args)]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("→ researcher: 30 children\n"), "{said:?}");
    assert!(said.err.contains("✓ 30 of 30 children ended\n"), "{said:?}");
    assert!(said.err.lines().count() < 20, "{said:?}");
}

#[test]
fn refusals_say_why_and_have_their_codes() {
    let dir = directory();
    let dev = dev(dir.path());
    let args = query(r#"{"ask_legal":{"question":"a"}}"#);
    let two = format!("{args} [[sim:calls=2]]");
    let submitted = dev.ask(&["run", "planner", &two, "--detach"]);
    let id = submitted.out.trim().to_owned();
    dev.await_status(&id, "pending_tool_results");

    refused(
        &dev.ask(&["tasks", "answer", &id, "--text", "x"]),
        2,
        "has 2 of them open",
    );
    refused(
        &dev.ask(&["approvals", "approve", &id]),
        5,
        "no open approval",
    );
    let calls = ["tasks", "tool-calls", &id, "--status", "open", "-o", "json"];
    let calls = dev.ask(&calls).json();
    let call = calls["data"][0]["call_id"].as_str().unwrap();
    refused(
        &dev.ask(&["approvals", "deny", &id, call]),
        5,
        "no such call",
    );
    refused(
        &dev.ask(&["tasks", "answer", &id, "call_x", "--text", "x"]),
        5,
        "no such call",
    );
    for wrong in [
        &["tasks", "answer", &id, call][..],
        &["tasks", "answer", &id, call, "--text", "a", "--error", "b"],
        &["tasks", "answer", &id, call, "--result", "{"],
        &["approvals", "approve", &id, call, "--arguments", "[]"],
        &["approvals", "--older-than", "soon"],
        &["approvals", "review"],
    ] {
        assert_eq!(dev.ask(wrong).code, 2, "{wrong:?}");
    }

    let file = dir.path().join("result.json");
    fs::write(&file, r#"{"ok": true}"#).unwrap();
    let given = ["tasks", "answer", &id, call, "--result", "@result.json"];
    assert_eq!(dev.ask(&given).code, 0);
    let again = dev.ask(&given);
    assert!(again.out.contains(" answered, as before; "), "{again:?}");
    let other = ["tasks", "answer", &id, call, "--error", "no"];
    refused(&dev.ask(&other), 5, "answered before");
    let missing = ["tasks", "answer", &id, call, "--result", "@nowhere"];
    refused(&dev.ask(&missing), 1, "cannot read nowhere");

    let second = calls["data"][1]["call_id"].as_str().unwrap();
    let steered = dev.ask(&["tasks", "steer", &id, "[[sim:reply=ok]]", "--interrupt"]);
    assert_eq!(steered.code, 0, "{steered:?}");
    dev.await_status(&id, "completed");
    let late = ["tasks", "answer", &id, second, "--text", "x"];
    refused(&dev.ask(&late), 5, "not awaited any more");
    let late = dev.ask(&["tasks", "answer", &id, second, "--text", "x", "-o", "json"]);
    let problem: serde_json::Value = serde_json::from_str(&late.err).unwrap();
    assert_eq!(problem["code"], "tool_call_closed");
    refused(
        &dev.ask(&["tasks", "tree", "0-01m83k9s2na1xg08194mfs3yq3"]),
        5,
        "no such task",
    );
}
