//! The commands that ask one thing.

use super::support::{Dev, Process, directory, factorial};

#[test]
fn the_events_of_an_owner_are_watched() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let watch = |arguments: &[&str]| {
        let arguments = [&["events"], arguments].concat();
        Process::start(&mut dev.client(&arguments))
    };
    let mut all = watch(&[]);
    let mut ends = watch(&[
        "--type",
        "run_completed",
        "--type",
        "feed_opened",
        "-o",
        "json",
    ]);
    all.read_out_until("feed_opened\n");
    let opened = ends.read_out_until("\n");
    assert!(opened.contains(r#""event_type":"feed_opened""#), "{opened}");
    let ids: Vec<String> = ["a", "b"]
        .map(|reply| dev.submit(&format!("[[sim:reply={reply}]]")))
        .into();
    let mut last = String::new();
    for _ in &ids {
        let line = ends.read_out_until("\n");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["event_type"], "run_completed");
        assert!(ids.iter().any(|id| event["task_id"] == id.as_str()));
        last = event["cursor"].as_str().unwrap().to_owned();
        let told = all.read_out_until("run_completed");
        assert!(told.contains("assistant"), "{told}");
    }
    // It goes on where another one ended.
    let third = dev.submit("[[sim:reply=c]]");
    let mut on = watch(&["--cursor", &last]);
    let told = on.read_out_until("run_completed");
    assert!(told.contains(&third) && !told.contains(&ids[0]), "{told}");
}

#[test]
fn lists_and_details() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    assert_eq!(dev.ask(&["tasks", "list"]).out, "No tasks.\n");
    let ids: Vec<String> = ["a", "b", "c"]
        .map(|reply| dev.submit(&format!("[[sim:reply={reply}]]")))
        .into();
    for id in &ids {
        dev.await_status(id, "completed");
    }
    let list = dev.ask(&["tasks", "list"]);
    assert!(list.out.starts_with("ID "), "{list:?}");
    assert_eq!(list.out.lines().count(), 4, "{list:?}");
    assert!(
        list.out.contains("completed") && list.out.contains("cli"),
        "{list:?}"
    );
    let page = dev
        .ask(&["tasks", "list", "--limit", "2", "-o", "json"])
        .json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page["data"][0]["id"], ids[2].as_str());
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = dev
        .ask(&["tasks", "list", "--cursor", cursor, "-o", "json"])
        .json();
    assert_eq!(rest["data"][0]["id"], ids[0].as_str());
    let none = ["tasks", "list", "--owner", "other", "-o", "json"];
    assert_eq!(dev.ask(&none).json()["data"].as_array().unwrap().len(), 0);
    let failed = [
        "tasks",
        "list",
        "--status",
        "failed",
        "--agent",
        "assistant",
    ];
    assert_eq!(dev.ask(&failed).out, "No tasks.\n");

    let found = [
        "tasks", "list", "--search", &ids[1], "--since", "1h", "-o", "json",
    ];
    assert_eq!(dev.ask(&found).json()["data"][0]["id"], ids[1].as_str());
    assert_eq!(
        dev.ask(&["tasks", "list", "--until", "1h"]).out,
        "No tasks.\n"
    );
    let paused = dev.ask(&["agents", "pause", "assistant"]);
    assert!(paused.out.contains("Paused"), "{paused:?}");
    let agents = dev.ask(&["agents"]);
    assert!(agents.out.contains("assistant (paused)"), "{agents:?}");
    let resumed = dev.ask(&["agents", "resume", "assistant", "-o", "json"]);
    assert_eq!(resumed.json()["paused"], false);

    let details = dev.ask(&["tasks", "get", &ids[0]]);
    assert!(
        details.out.contains("Status        completed"),
        "{details:?}"
    );
    let messages = dev.ask(&["tasks", "messages", &ids[0]]);
    assert_eq!(
        messages.out,
        "user\n  [[sim:reply=a]]\n\nassistant (turn 1)\n  a\n"
    );
    let events = dev.ask(&["tasks", "events", &ids[0]]);
    assert!(events.out.contains("task_enqueued"), "{events:?}");
    assert!(
        events
            .out
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .contains("run_completed"),
        "{events:?}"
    );
    let followed = dev.ask(&[
        "tasks",
        "events",
        &ids[0],
        "--follow",
        "-o",
        "json",
        "--starting-after",
        "1",
    ]);
    let seqs: Vec<u64> = followed
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert!(
        seqs.iter().copied().eq(2..=seqs.len() as u64 + 1),
        "{seqs:?}"
    );

    let agents = dev.ask(&["agents"]);
    assert!(
        agents.out.contains("assistant  openai/gpt-4.1-mini"),
        "{agents:?}"
    );
    let agent = dev.ask(&["agents", "assistant", "-o", "json"]).json();
    assert_eq!(agent["workers"], 1);
    let workers = dev.ask(&["workers", "-o", "json"]).json();
    assert_eq!(workers["data"][0]["agents"][0]["slots"], 25);
}

#[test]
fn steer_retry_and_refusals() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let id = dev.submit("[[sim:noop]] [[sim:latency_ms=600000]]");
    dev.await_status(&id, "processing");
    assert_eq!(dev.ask(&["tasks", "result", &id]).code, 6);
    let again = dev.ask(&["tasks", "retry", &id]);
    assert_eq!(again.code, 5, "{again:?}");
    let steered = dev.ask(&[
        "tasks",
        "steer",
        &id,
        "[[sim:latency_ms=0]] go on",
        "--interrupt",
    ]);
    assert_eq!(steered.code, 0, "{steered:?}");
    assert!(steered.out.contains("accepted"), "{steered:?}");
    let result = dev.ask(&["tasks", "result", &id, "--wait", "30"]);
    assert_eq!(
        (result.code, result.out.as_str()),
        (0, "ok\n"),
        "{result:?}"
    );
    let late = dev.ask(&["tasks", "steer", &id, "too late", "-o", "json"]);
    assert_eq!(late.code, 5, "{late:?}");
    let problem: serde_json::Value = serde_json::from_str(&late.err).unwrap();
    assert_eq!(problem["code"], "task_finished");

    let id = dev.submit("[[sim:noop]] [[sim:latency_ms=600000]]");
    let cancelled = dev.ask(&["tasks", "cancel", &id, "--reason", "no longer needed"]);
    assert_eq!(cancelled.out, format!("{id} cancelled\n"));
    let result = dev.ask(&["tasks", "result", &id]);
    assert_eq!(result.code, 3, "{result:?}");
    assert!(result.err.contains("no longer needed"), "{result:?}");
    let retried = dev.ask(&["tasks", "retry", &id]);
    assert!(retried.out.starts_with(&format!("{id} ")), "{retried:?}");
    assert_eq!(dev.ask(&["tasks", "cancel", &id]).code, 0);

    for unknown in ["0-01m83k9s2na1xg08194mfs3yq3", "../../x", "a b"] {
        let said = dev.ask(&["tasks", "get", unknown]);
        assert_eq!(said.code, 5, "{said:?}");
    }
    assert_eq!(dev.ask(&["agents", "nobody"]).code, 5);
}

#[test]
fn health_is_an_exit_code() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    for role in ["gateway", "dashboard"] {
        let base = dev.addresses[role].as_str().unwrap();
        assert_eq!(dev.ask(&["healthcheck", base]).code, 0, "{role}");
    }
    let admin = dev.addresses["admin"].as_str().unwrap();
    assert_eq!(
        dev.ask(&["healthcheck", &format!("{admin}/readyz")]).code,
        0
    );
    assert_eq!(
        dev.ask(&["healthcheck", &format!("{admin}/nowhere")]).code,
        1
    );
    assert_eq!(dev.ask(&["healthcheck", "ftp://x"]).code, 2);
}

#[test]
fn without_a_gateway_it_says_what_to_start() {
    let dir = directory();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for command in [&["tasks", "list"][..], &["run", "a", "b"], &["workers"]] {
        let said = Process::start(factorial(dir.path()).args(command).args(["--url", &url])).end();
        assert_eq!(said.code, 4, "{said:?}");
        assert!(
            said.err.contains(&url) && said.err.contains("factorial dev"),
            "{said:?}"
        );
    }
    let said = Process::start(factorial(dir.path()).args(["workers", "--url", "not a url"])).end();
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn url_and_key_come_from_the_file_too() {
    let dir = directory();
    let dev = Dev::start(dir.path(), "server");
    let elsewhere = directory();
    let file = format!("client:\n  url: {}\n  api_key: secret\n", dev.gateway());
    std::fs::write(elsewhere.path().join("factorial.yaml"), file).unwrap();
    let said = Process::start(factorial(elsewhere.path()).arg("agents")).end();
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn completions_are_printed() {
    let dir = directory();
    for shell in ["bash", "zsh", "fish"] {
        let said = Process::start(factorial(dir.path()).args(["completions", shell])).end();
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("factorial"), "{shell}");
    }
}

#[test]
fn man_pages_are_written_for_every_command() {
    let dir = directory();
    let pages = dir.path().join("share/man1");
    let said = Process::start(factorial(dir.path()).arg("man").arg(&pages)).end();
    assert_eq!(said.code, 0, "{said:?}");
    for (name, holds) in [
        ("factorial.1", "factorial\\-dev(1)"),
        ("factorial-run.1", "\\-\\-owner"),
        ("factorial-tasks-list.1", "newest first"),
    ] {
        let page = std::fs::read_to_string(pages.join(name)).unwrap();
        assert!(page.contains(holds), "{name}: {page}");
    }
    let said = Process::start(factorial(dir.path()).args(["man", "/dev/null/man"])).end();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("cannot write /dev/null/man"), "{said:?}");
}

#[test]
fn documents_of_services_are_printed() {
    let dir = directory();
    for (service, path) in [
        ("gateway", "/v1/tasks"),
        ("dashboard", "/observability/api/overview"),
    ] {
        let said =
            Process::start(factorial(dir.path()).args(["openapi", "--service", service])).end();
        assert_eq!(said.code, 0, "{said:?}");
        let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert!(document["paths"][path].is_object(), "{service}");
    }
}
