//! `factorial batch`: from a file of lines to results and an exit code.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::support::{Dev, Process, directory, eventually};

fn line(query: &str, id: usize) -> String {
    format!(
        "{}\n",
        json!({"query": query, "custom_id": format!("q{id}")})
    )
}

#[test]
fn runs_to_the_end_and_writes_results() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let file: String = (0..40)
        .map(|n| line(&format!("[[sim:reply=r{n}]]"), n))
        .collect();
    fs::write(dir.path().join("good.ndjson"), &file).unwrap();

    let said = dev.ask(&[
        "batch",
        "run",
        "good.ndjson",
        "--agent",
        "assistant",
        "--results",
        "out.ndjson",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("40 completed of 40"), "{said:?}");
    assert!(said.err.contains("100 %  40 of 40"), "{said:?}");
    let out = fs::read_to_string(dir.path().join("out.ndjson")).unwrap();
    let results: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(results.len(), 40);
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result["index"], n);
        assert_eq!(result["custom_id"], format!("q{n}"));
        assert_eq!(result["output"], format!("r{n}"));
    }

    let list = dev.ask(&["batch", "list", "-o", "json"]).json();
    let id = list["data"][0]["id"].as_str().unwrap();
    let shown = dev.ask(&["batch", "get", id]);
    assert!(
        shown.out.contains("Progress      100 % (40 of 40 members)"),
        "{shown:?}"
    );
    let table = dev.ask(&["batch", "list"]);
    assert!(table.out.starts_with("ID "), "{table:?}");
    assert_eq!(table.out.lines().count(), 2, "{table:?}");
    let again = dev.ask(&["batch", "watch", id, "-o", "json"]).json();
    assert_eq!(again["counts"], json!({"completed": 40}));
    let rest = dev.ask(&["batch", "results", id, "--starting-after", "37"]);
    assert_eq!(rest.out.lines().count(), 2, "{rest:?}");
    let refused = dev.ask(&["batch", "cancel", id]);
    assert_eq!(refused.code, 5, "{refused:?}");
    dev.stop();
}

#[test]
fn says_what_is_wrong_and_what_failed() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let bad = "{\"query\":\"fine\"}\n{\"query\":\n{\"query\":\"x\",\"agent\":\"asistant\"}\n";
    fs::write(dir.path().join("bad.ndjson"), bad).unwrap();
    let said = dev.ask(&["batch", "run", "bad.ndjson", "--agent", "assistant"]);
    assert_eq!(said.code, 5, "{said:?}");
    for part in [
        "2 lines are not acceptable",
        "line 2: ",
        "line 3 /agent: asistant",
    ] {
        assert!(said.err.contains(part), "{said:?}");
    }
    assert_eq!(dev.ask(&["batch", "list"]).out, "No batches.\n");
    let said = dev.ask(&["batch", "run", "nothing.ndjson", "--agent", "assistant"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("cannot read nothing.ndjson"), "{said:?}");

    let refused = r#"[[sim:behaviour={"fault":{"status":{"status":401}}}]]"#;
    let file = line("[[sim:reply=yes]]", 0) + &line(refused, 1);
    fs::write(dir.path().join("mixed.ndjson"), file).unwrap();
    let said = dev.ask(&[
        "batch",
        "run",
        "mixed.ndjson",
        "--agent",
        "assistant",
        "--max-turns",
        "3",
    ]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("1 completed, 1 failed of 2"), "{said:?}");
    assert!(
        said.out.contains("#1 q1") && said.out.contains("401"),
        "{said:?}"
    );

    fs::write(dir.path().join("empty.ndjson"), "\n").unwrap();
    let said = dev.ask(&["batch", "run", "empty.ndjson", "--agent", "assistant"]);
    assert_eq!(said.code, 0, "{said:?}");
    dev.stop();
}

#[test]
fn ctrl_c_leaves_it_alone_or_cancels_it() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let member = json!({"query": "q", "delay_seconds": 1000}).to_string();
    fs::write(
        dir.path().join("later.ndjson"),
        format!("{member}\n{member}\n"),
    )
    .unwrap();
    let run = ["batch", "run", "later.ndjson", "--agent", "assistant"];
    let mut process = Process::start(&mut dev.client(&run));
    process.read_err_until("2 members");
    process.signal(Signal::INT);
    let said = process.end();
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.err.contains("factorial batch watch"), "{said:?}");
    let status = || {
        let list = dev.ask(&["batch", "list", "-o", "json"]).json();
        list["data"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(), "running");

    let mut cancelling = run.to_vec();
    cancelling.push("--cancel-on-interrupt");
    let mut process = Process::start(&mut dev.client(&cancelling));
    process.read_err_until("2 members");
    process.signal(Signal::INT);
    let said = process.end();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("2 cancelled of 2"), "{said:?}");

    let said = dev.ask(&[
        "batch",
        "run",
        "later.ndjson",
        "--agent",
        "assistant",
        "--no-wait",
    ]);
    let id = said.out.trim();
    let said = dev.ask(&["batch", "cancel", id, "--reason", "enough"]);
    assert!(said.out.contains("cancelled: 2 of 2 members"), "{said:?}");
    eventually("the end", || (status() == "cancelled").then_some(()));
    let said = dev.ask(&["batch", "watch", id]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("(enough)"), "{said:?}");
    dev.stop();
}
