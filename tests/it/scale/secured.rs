//! TLS with certificates on both sides, and a user with the documented least privilege.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc, time::Duration};

use factorial_core::{ConnectError, Store, StoreOptions, TaskState, TlsOptions};
use factorial_sim::Behaviour;
use factorial_tests::{
    PASSWORD, Served as _, TestSecured,
    system::{Setup, System, agent, ask, function_tool},
};
use serde_json::json;

/// The whole repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The rules that the documentation names, for this password and any namespace.
fn documented() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/operations.md")).expect("the document");
    let start = "ACL SETUSER factorial ";
    let rules = text.split_once(start).expect("the rules").1;
    let rules = rules.split("```").next().expect("their end");
    rules
        .split_whitespace()
        .filter(|word| *word != "\\")
        .map(|word| match word {
            ">PASSWORD" => format!(">{PASSWORD}"),
            // Tests have namespaces of their own: the letter with which those of systems begin.
            pattern if pattern.starts_with(['~', '&']) => pattern.replace("{factorial", "{s*"),
            rule => rule.to_owned(),
        })
        .collect()
}

async fn secured() -> Arc<TestSecured> {
    let started = tokio::task::spawn_blocking(|| TestSecured::start(&documented())).await;
    Arc::new(started.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_system_runs_with_the_documented_rules() {
    let redis = secured().await;
    let setup = redis
        .system(Setup::fast())
        .agent(agent("plain", json!({ "tools": [function_tool("current_time")] })))
        .agent(agent(
            "leader",
            json!({ "tools": [{ "kind": "agent", "agent": "plain", "name": "delegate", "description": "Delegates." }] }),
        ))
        .model(Behaviour::latency(Duration::from_millis(50)));
    let system = System::start(setup).await;
    let worker = system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let agent = if n % 5 == 0 { "leader" } else { "plain" };
        ids.push(system.submit(ask(agent, format!("{n}"))).await);
    }
    let slow = system
        .submit(ask("plain", "[[sim:latency_ms=20000]]"))
        .await;
    for id in &ids {
        assert_eq!(system.end(id).await.state, TaskState::Completed);
    }
    system.cancel(&slow).await.unwrap();
    system.retry(&slow).await.unwrap();
    system.cancel(&slow).await.unwrap();
    assert!(worker.log().contains("maxmemory-policy could not be read"));
    for process in system.running() {
        let log = process.log();
        for line in log.lines().filter(|l| l.contains("NOPERM")) {
            assert!(
                line.contains("maxmemory-policy"),
                "{}: {line}",
                process.name()
            );
        }
        assert!(!log.contains(PASSWORD), "{}", process.name());
        assert!(!log.contains("pl4nted"), "{}", process.name());
    }
    system.finish().await;
}

/// The user may nothing else: neither other keys nor what administrators do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_are_no_wider_than_needed() {
    let redis = secured().await;
    let mut options = StoreOptions::new(redis.url(), "other".parse().unwrap());
    options.tls = redis.tls();
    let opened = Store::connect(&options).await;
    let error = opened
        .err()
        .expect("it opened a namespace that is not in the rules");
    assert!(error.to_string().contains("NOPERM"), "{error}");
    let rules = documented();
    for rule in [
        "+@all",
        "~*",
        "&*",
        "allkeys",
        "allcommands",
        "allchannels",
        "nopass",
    ] {
        assert!(!rules.iter().any(|r| r == rule), "{rule}");
    }
}

/// Every command that is used is in the rules, and nothing else is.
#[test]
fn the_rules_name_the_commands_that_are_used() {
    let core = root().join("crates/factorial-core");
    let mut used = BTreeSet::new();
    let mut collect = |text: &str, before: &str| {
        for (_, rest) in text
            .match_indices(before)
            .map(|(at, _)| text.split_at(at + before.len()))
        {
            let name: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
            if !name.is_empty() {
                used.insert(name.to_lowercase());
            }
        }
    };
    let mut dirs = vec![core.join("lua"), core.join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            if path.extension().is_some_and(|e| e == "lua") {
                collect(&text, "call('");
            } else {
                collect(&text, "cmd(\"");
            }
        }
    }
    // The user may not look, of the Sentinels others may be asked, and these are sent by the library.
    for name in ["config", "sentinel"] {
        assert!(used.remove(name), "{name}");
    }
    used.extend(["subscribe", "unsubscribe", "select"].map(str::to_owned));
    let named: BTreeSet<String> = documented()
        .iter()
        .filter_map(|rule| rule.strip_prefix('+'))
        .map(|rule| rule.split('|').next().unwrap_or(rule).to_owned())
        .collect();
    assert_eq!(named, used);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused() {
    let redis = secured().await;
    let connect = async |url: &str, tls: TlsOptions| {
        let mut options = StoreOptions::new(url, "strange".parse().unwrap());
        options.tls = tls;
        options.timeout = Duration::from_secs(3);
        Store::connect(&options).await.err().map(|e| e.to_string())
    };
    // A server that nobody knows, a client that shows nothing, and one without the password.
    let unknown = connect(redis.url(), TlsOptions::default()).await;
    assert!(
        unknown
            .as_ref()
            .is_some_and(|e| e.contains("UnknownIssuer")),
        "{unknown:?}"
    );
    let shy = TlsOptions {
        identity: None,
        ..redis.tls()
    };
    assert!(connect(redis.url(), shy).await.is_some());
    let wrong = redis.url().replace("pl4nted", "wrong");
    let wrong = connect(&wrong, redis.tls()).await;
    assert!(
        wrong.as_ref().is_some_and(|e| !e.contains("s3cret")),
        "{wrong:?}"
    );
    // Certificates without TLS are a mistake, not a choice.
    let plain = StoreOptions {
        tls: redis.tls(),
        ..StoreOptions::new("redis://localhost", "strange".parse().unwrap())
    };
    let refused = Store::connect(&plain).await.err();
    assert!(matches!(refused, Some(ConnectError::Url(_))), "{refused:?}");
}
