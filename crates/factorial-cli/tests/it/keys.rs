//! `factorial keys` and `factorial audit`, and services that do not start open.

use super::support::{Dev, Process, Said, directory, factorial};

fn secret(said: &Said) -> (String, String) {
    let made = said.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&made["key"]["id"]), text(&made["token"]))
}

#[test]
fn the_first_key_comes_from_redis_and_the_others_from_the_gateway() {
    let dir = directory();
    let mut command = Dev::command(dir.path(), "server");
    let dev = Dev::start_with(dir.path(), command.arg("--auth-enabled"));
    let redis = dev.addresses["redis"].as_str().unwrap();
    let refused = dev.ask(&["tasks", "list"]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("FACTORIAL_API_KEY"), "{refused:?}");

    let direct = ["keys", "create", "--redis-url", redis, "--name", "ops"];
    let first = [&direct[..], &["--role", "admin", "-o", "json"]].concat();
    let (_, admin) = secret(&dev.ask(&first));
    let with = |key: &str, args: &[&str]| {
        Process::start(dev.client(args).env("FACTORIAL_API_KEY", key)).end()
    };
    let shop = ["keys", "create", "--name", "shop", "--owner", "cli"];
    let said = with(&admin, &shop);
    assert!(
        said.out.starts_with("fk_") && said.out.contains("shown this once"),
        "{said:?}"
    );
    let (id, key) = secret(&with(&admin, &[&shop[..], &["-o", "json"]].concat()));
    assert_eq!(
        with(&key, &["run", "assistant", "[[sim:reply=a]]"])
            .out
            .trim(),
        "a"
    );
    let refused = with(&key, &["keys", "list"]);
    assert!(refused.err.contains("admin"), "{refused:?}");
    let list = with(&admin, &["keys", "list"]);
    assert!(
        list.out.starts_with("ID ") && list.out.contains("submitter"),
        "{list:?}"
    );
    assert!(!list.out.contains(&key[16..]), "{list:?}");
    let revoked = with(&admin, &["keys", "revoke", &id]);
    assert_eq!(revoked.out, format!("{id} is revoked\n"));
    assert_ne!(with(&key, &["tasks", "list"]).code, 0);
    let again = dev.ask(&["keys", "revoke", &id, "--redis-url", redis]);
    assert_eq!(
        again.out,
        format!("{id} is revoked\n"),
        "revoking again is no error"
    );
    let bad = dev.ask(&[
        "keys",
        "create",
        "--redis-url",
        redis,
        "--name",
        "x",
        "--owner",
        "a b",
    ]);
    assert_ne!(bad.code, 0);
    assert!(bad.err.contains("owner_ids/0 must be"), "{bad:?}");
    let missing = dev.ask(&["keys", "revoke", "nothing", "--redis-url", redis]);
    assert!(missing.err.contains("no such key"), "{missing:?}");
    let audit = with(&admin, &["audit"]);
    for told in [
        "create_key",
        "revoke_key",
        "submit_task",
        &format!("key:{id}"),
    ] {
        assert!(audit.out.contains(told), "{told} in {audit:?}");
    }
}

#[test]
fn nothing_is_open_to_others_unless_it_is_asked_for() {
    let dir = directory();
    let mut command = Dev::command(dir.path(), "server");
    command.args(["--auth-enabled=false", "--gateway-host", "0.0.0.0"]);
    let refused = Process::start(&mut command).end();
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("--insecure-no-auth"), "{refused:?}");

    let mut command = Dev::command(dir.path(), "server");
    command.args(["--insecure-no-auth", "--gateway-host", "0.0.0.0"]);
    let dev = Dev::start_with(dir.path(), &mut command);
    assert_eq!(dev.ask(&["tasks", "list"]).out, "No tasks.\n");
    let said = dev.stop();
    assert!(said.out.contains("WITHOUT A KEY"), "{said:?}");

    // On an address of others, keys are needed without a word.
    let mut command = Dev::command(dir.path(), "server");
    let dev = Dev::start_with(dir.path(), command.args(["--gateway-host", "0.0.0.0"]));
    assert_ne!(dev.ask(&["tasks", "list"]).code, 0);
    assert!(dev.stop().out.contains("with an API key"));

    let dev = Dev::start(dir.path(), "server");
    assert!(dev.stop().out.contains("without a key: only this machine"));
    let short = factorial(dir.path())
        .args(["dev", "--admin-key", "short"])
        .output()
        .unwrap();
    let said = String::from_utf8(short.stderr).unwrap();
    assert!(
        said.contains("24 characters") && !said.contains("\"short\""),
        "{said}"
    );
}
