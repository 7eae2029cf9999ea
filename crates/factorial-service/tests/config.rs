//! Configuration as a user meets it: command line, variables and file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use factorial_service::config::{
    BucketSize, ClientRole, ConfigArgs, ConfigErrors, DashboardRole, DevRole, Environment,
    GatewayRole, LogFormat, ReaperRole, RoleConfig, WorkerRole, defaults,
};
use secrecy::ExposeSecret;

fn args<T: RoleConfig>(line: &[&str]) -> ConfigArgs<T> {
    let line = [&["test"], line].concat();
    let command = ConfigArgs::<T>::augment_args(Command::new("test"));
    ConfigArgs::from_arg_matches(&command.try_get_matches_from(line).unwrap()).unwrap()
}

/// Loads from a directory that has the given `factorial.yaml`, if any.
fn load<T: RoleConfig>(
    line: &[&str],
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> Result<T, ConfigErrors> {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(directory.path().join("factorial.yaml"), text).unwrap();
    }
    let bare = Environment::bare(directory.path());
    let environment = variables.iter().fold(bare, |environment, (name, value)| {
        environment.with(name, *value)
    });
    args(line).load(&environment)
}

fn problems<T: RoleConfig>(
    line: &[&str],
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> String {
    match load::<T>(line, variables, file) {
        Ok(_) => panic!("the configuration was accepted"),
        Err(errors) => errors.to_string(),
    }
}

#[track_caller]
fn assert_lines(text: &str, expected: &[&str]) {
    for line in expected {
        assert!(text.contains(line), "missing {line:?} in:\n{text}");
    }
    // One line for each problem, and the heading.
    assert_eq!(text.lines().count(), expected.len() + 1, "{text}");
}

#[test]
fn defaults_are_the_documented_ones() {
    let dev: DevRole = defaults().unwrap();
    assert_eq!(
        (
            dev.worker.workers,
            dev.worker.batch_size,
            dev.worker.max_retries
        ),
        (1, 25, 5)
    );
    assert_eq!(dev.worker.turn_timeout, Duration::from_secs(120));
    assert_eq!(dev.worker.grace_period_seconds, Duration::from_secs(30));
    assert_eq!(dev.recovery.heartbeat_interval, Duration::from_secs(5));
    assert_eq!(dev.recovery.missed_heartbeats_threshold, 2);
    assert_eq!(dev.recovery.max_recoveries, 5);
    assert_eq!(dev.recovery.lease(), Duration::from_secs(10));
    assert_eq!(dev.maintenance.interval, Duration::from_secs(10));
    assert_eq!(
        (dev.maintenance.workers, dev.maintenance.max_cleanup_batch),
        (1, 100)
    );
    assert_eq!(
        dev.maintenance.task_ttl.completed_ttl,
        Duration::from_secs(3600)
    );
    assert_eq!(
        dev.maintenance.task_ttl.failed_ttl,
        Duration::from_secs(86400)
    );
    assert_eq!(
        dev.maintenance.task_ttl.cancelled_ttl,
        Duration::from_secs(1800)
    );
    assert_eq!(dev.metrics.timeline_duration, Duration::from_secs(3600));
    assert_eq!(dev.metrics.bucket_size, BucketSize::Minutes);
    assert_eq!(dev.metrics.buckets(), 60);
    assert_eq!(dev.metrics.retention(), Duration::from_secs(7200));
    assert!(dev.observability.enabled);
    assert_eq!(dev.observability.port, 8080);
    assert!(dev.observability.cors_origins.is_empty());
    assert_eq!(
        (dev.gateway.host.as_str(), dev.gateway.port),
        ("127.0.0.1", 8000)
    );
    assert_eq!(dev.redis.max_connections, 50);
    assert_eq!(dev.redis.namespace.as_str(), "factorial");
    assert_eq!(dev.redis.partitions, None);
    assert_eq!(
        dev.redis.connection_url().expose_secret(),
        "redis://localhost:6379/0"
    );
    assert_eq!(dev.log.format, LogFormat::Auto);
}

#[test]
fn each_role_has_its_own_defaults() {
    let gateway: GatewayRole = defaults().unwrap();
    let worker: WorkerRole = defaults().unwrap();
    let reaper: ReaperRole = defaults().unwrap();
    let dashboard: DashboardRole = defaults().unwrap();
    let client: ClientRole = defaults().unwrap();
    let ports = [
        gateway.admin.port,
        worker.admin.port,
        reaper.admin.port,
        dashboard.admin.port,
    ];
    assert_eq!(ports, [8001, 8002, 8003, 8004]);
    assert_eq!(gateway.redis.timeout, Duration::from_millis(800));
    assert_eq!(worker.redis.timeout, Duration::from_secs(5));
    assert_eq!(client.client.url.as_str(), "http://127.0.0.1:8000/");
}

#[test]
fn flag_over_variable_over_file_over_default() {
    let file = "worker: { workers: 2, batch_size: 7, max_retries: 9 }\n";
    let variables = [("FACTORIAL_WORKERS", "3"), ("FACTORIAL_BATCH_SIZE", "8")];
    let role: WorkerRole = load(&["--workers", "4"], &variables, Some(file)).unwrap();
    assert_eq!(role.worker.workers, 4);
    assert_eq!(role.worker.batch_size, 8);
    assert_eq!(role.worker.max_retries, 9);
    assert_eq!(role.worker.turn_timeout, Duration::from_secs(120));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let variables = [
        ("REDIS_URL", ""),
        ("FACTORIAL_WORKERS", ""),
        ("OPENAI_API_KEY", ""),
    ];
    let role: WorkerRole = load(&[], &variables, Some("worker: { workers: 2 }")).unwrap();
    assert_eq!(role.worker.workers, 2);
    assert!(role.redis.url.is_none() && role.keys.openai_api_key.is_none());
}

#[test]
fn every_setting_can_be_written_in_the_file() {
    let file = r#"
redis_host: ::1
redis_port: 6380
redis_db: 3
redis_username: app:1
redis_password: 0123
redis_tls: yes
redis_max_connections: 9
redis_timeout_seconds: .5
namespace: prod-1
partitions: 16
openai_api_key: sk-1
openai_base_url: "http://127.0.0.1:11434/v1"
admin_host: 0.0.0.0
log_format: json
log_level: info,factorial_core=debug
worker:
  agents: [a.yaml, "b,c.yaml"]
  heartbeat_interval: 2.5
  runners:
    researcher: { workers: 2, turn_timeout: 300 }
    writer: ~
maintenance:
  task_ttl: { completed_ttl: 60 }
metrics:
  bucket_size: seconds
  retention_multiplier: 1.5
observability:
  enabled: off
  cors_origins: https://ops.example.com/
client:
  url: https://factorial.example.com
"#;
    let role: DevRole = load(&[], &[], Some(file)).unwrap();
    // The password is as it was written, not the number 123.
    assert_eq!(
        role.redis.connection_url().expose_secret(),
        "rediss://app%3A1:0123@[::1]:6380/3"
    );
    assert_eq!(role.redis.timeout, Duration::from_millis(500));
    assert_eq!(role.redis.partitions, Some(16));
    assert_eq!(
        role.keys.openai_base_url.unwrap().as_str(),
        "http://127.0.0.1:11434/v1"
    );
    assert_eq!(
        role.worker.agents,
        [Path::new("a.yaml"), Path::new("b,c.yaml")]
    );
    assert_eq!(
        role.recovery.heartbeat_interval,
        Duration::from_millis(2500)
    );
    let runners = &role.worker.runners;
    assert_eq!(runners.keys().collect::<Vec<_>>(), ["researcher", "writer"]);
    assert_eq!(runners["researcher"].workers, Some(2));
    assert_eq!(runners["researcher"].batch_size, None);
    assert_eq!(
        runners["researcher"].turn_timeout,
        Some(Duration::from_secs(300))
    );
    assert_eq!(
        role.maintenance.task_ttl.completed_ttl,
        Duration::from_secs(60)
    );
    assert!(!role.observability.enabled);
    assert_eq!(
        role.observability.cors_origins[0].as_str(),
        "https://ops.example.com"
    );
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let file = "\
redis_prot: 1
worker:
  turn_timeout: soon
  wrokers: 3
  runners:
    a: { batch_size: 0, batchsize: 1 }
metrics:
  timeline_duration: 100
  bucket_size: minutes
";
    let variables = [
        ("REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("FACTORIAL_BATCH_SIZE", "0"),
        ("OPENAI_BASE_URL", "localhost"),
        ("FACTORIAL_LOG_LEVEL", "loud"),
    ];
    let text = problems::<WorkerRole>(
        &["--workers", "many", "--admin-port=70000"],
        &variables,
        Some(file),
    );
    assert_lines(
        &text,
        &[
            "factorial.yaml:1: key redis_prot: unknown key; did you mean \"redis_port\"?",
            "factorial.yaml:4: key worker.wrokers: unknown key; did you mean \"workers\"?",
            "factorial.yaml:6: key worker.runners.a.batchsize: unknown key; did you mean \"batch_size\"?",
            "environment variable REDIS_PORT: \"tcp://10.0.0.1:6379\" is not a whole number up to 65535",
            "flag --workers: \"many\" is not a whole number",
            "environment variable FACTORIAL_BATCH_SIZE: \"0\" is not between 1 and 10000",
            "factorial.yaml:3: key worker.turn_timeout: \"soon\" is not a number of seconds",
            "factorial.yaml:6: key worker.runners.a.batch_size: \"0\" is not between 1 and 10000",
            "factorial.yaml:8: key metrics.timeline_duration: a timeline of 100 s has 1 buckets of 60 s; it needs at least 50",
            "environment variable OPENAI_BASE_URL: \"localhost\" is not a URL",
            "flag --admin-port: \"70000\" is not a whole number up to 65535",
            "environment variable FACTORIAL_LOG_LEVEL: \"loud\" does not begin with one of",
        ],
    );
}

#[test]
fn the_rule_on_buckets_names_the_setting_wherever_it_comes_from() {
    for (duration, size, good) in [
        ("50", "seconds", true),
        ("49", "seconds", false),
        ("2999", "minutes", false),
        ("3000", "minutes", true),
        ("86400", "hours", false),
        ("4320000", "days", true),
        ("1000000", "seconds", false),
    ] {
        let line = ["--timeline-duration", duration, "--bucket-size", size];
        let outcome = load::<GatewayRole>(&line, &[], None);
        assert_eq!(outcome.is_ok(), good, "{duration} {size}");
        if let Err(errors) = outcome {
            assert_lines(&errors.to_string(), &["flag --timeline-duration: "]);
        }
    }
}

#[test]
fn secrets_are_never_shown() {
    let variables = [
        ("REDIS_URL", "http://u:hunter2@x"),
        ("OPENAI_API_KEY", "hunter2"),
    ];
    let text = problems::<WorkerRole>(&[], &variables, None);
    assert_lines(
        &text,
        &["environment variable REDIS_URL: the value does not begin with redis://"],
    );
    assert!(!text.contains("hunter2"));
    let variables = [
        ("REDIS_URL", "redis://u:hunter2@x"),
        ("OPENAI_API_KEY", "hunter2"),
    ];
    let role: WorkerRole = load(&[], &variables, None).unwrap();
    assert!(!format!("{role:?}").contains("hunter2"));
    // A parse error must not quote the lines around it.
    let text = problems::<WorkerRole>(&[], &[], Some("openai_api_key: hunter2\nworker: [\n"));
    assert!(
        text.contains("is not valid YAML") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn redis_url_and_parts() {
    let url = |line: &[&str], variables: &[(&str, &str)]| {
        load::<ReaperRole>(line, variables, None)
            .map(|role| role.redis.connection_url().expose_secret().to_owned())
    };
    let given = ("REDIS_URL", "redis://cache:7000/2");
    assert_eq!(url(&[], &[given]).unwrap(), "redis://cache:7000/2");
    assert_eq!(
        url(&[], &[given, ("REDIS_PASSWORD", "p@ss/")]).unwrap(),
        "redis://:p%40ss%2F@cache:7000/2"
    );
    // Beside a URL in the same layer, the parts are the URL's business.
    assert_eq!(
        url(&[], &[given, ("REDIS_HOST", "other")]).unwrap(),
        "redis://cache:7000/2"
    );
    assert_eq!(
        url(&["--redis-url", "redis+unix:///run/r.sock"], &[]).unwrap(),
        "redis+unix:///run/r.sock"
    );
    assert_eq!(
        url(&["--redis-tls"], &[("REDIS_PASSWORD", "x")]).unwrap(),
        "rediss://:x@localhost:6379/0"
    );
    // But one that was meant to override it must not be ignored.
    let text = problems::<ReaperRole>(&["--redis-host", "other"], &[given], None);
    assert_lines(&text, &["flag --redis-host: redis_url is set as well"]);
    let twice = [("REDIS_URL", "redis://:a@cache"), ("REDIS_PASSWORD", "b")];
    assert_lines(
        &problems::<ReaperRole>(&[], &twice, None),
        &["environment variable REDIS_PASSWORD: redis_url has"],
    );
    let text = problems::<ReaperRole>(&["--redis-host", "redis://x"], &[], None);
    assert_lines(&text, &["flag --redis-host: is not a host name"]);
    let many = ("REDIS_URL", "rediss-cluster://a:7000,b:7001");
    assert_eq!(
        url(
            &[],
            &[many, ("REDIS_USERNAME", "u:1"), ("REDIS_PASSWORD", "p/")]
        )
        .unwrap(),
        "rediss-cluster://u%3A1:p%2F@a:7000,b:7001"
    );
    let text = problems::<ReaperRole>(&["--redis-url", "redis-sentinel://a:1"], &[], None);
    assert_lines(
        &text,
        &["flag --redis-url: the value does not end with the name of the master"],
    );
}

#[test]
fn certificates_and_password_files_of_redis() {
    let wrong = |line: &[&str]| problems::<ReaperRole>(line, &[("REDIS_PASSWORD", "x")], None);
    assert_lines(
        &wrong(&["--redis-tls-ca", "ca.pem"]),
        &["flag --redis-tls-ca: is for TLS, which the address does not have"],
    );
    assert_lines(
        &wrong(&["--redis-tls", "--redis-tls-cert", "c.pem"]),
        &["flag --redis-tls-cert: needs redis_tls_key as well"],
    );
    assert_lines(
        &wrong(&["--redis-password-file", "p"]),
        &["flag --redis-password-file: redis_password is set as well"],
    );
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(file("p"), "from a file\n").unwrap();
    std::fs::write(file("ca"), "PEM").unwrap();
    let (password, ca, none) = (file("p"), file("ca"), file("none"));
    let options = |ca: &str| {
        let line = [
            "--redis-url",
            "rediss://h",
            "--redis-password-file",
            &password,
            "--redis-tls-ca",
            ca,
        ];
        let role: ReaperRole = load(&line, &[], None).unwrap();
        factorial_service::store_options(&role.redis, &role.metrics)
    };
    let read = options(&ca).unwrap();
    assert_eq!(read.url, "rediss://:from%20a%20file@h");
    assert_eq!(read.tls.ca.as_deref(), Some(&b"PEM"[..]));
    assert!(!format!("{read:?}").contains("file@"), "{read:?}");
    let error = options(&none).unwrap_err().to_string();
    assert!(error.starts_with("redis_tls_ca: cannot read"), "{error}");
}

#[test]
fn a_role_judges_its_own_settings_but_all_keys() {
    let file = "worker: { workers: many }\nobservability: { port: x }\n";
    load::<GatewayRole>(&[], &[], Some(file)).unwrap();
    assert_eq!(
        problems::<WorkerRole>(&[], &[], Some(file)).lines().count(),
        2
    );
    assert_lines(
        &problems::<GatewayRole>(&[], &[], Some("worker: 3\nobservability: { prt: 1 }\n")),
        &[
            "factorial.yaml:1: key worker: is not a mapping of settings",
            "factorial.yaml:2: key observability.prt: unknown key; did you mean \"port\"?",
        ],
    );
}

#[test]
fn shapes_of_the_file() {
    for (file, expected) in [
        ("- 1\n", "factorial.yaml:1: is not a mapping of settings"),
        (
            "gateway: { port: [1] }\n",
            "key gateway.port: is not a single value",
        ),
        (
            "admin_port: 1\nadmin_port: 2\n",
            "factorial.yaml:2: is not valid YAML",
        ),
        ("gateway: {\n", "is not valid YAML"),
        (
            "namespace: 'a}:b'\n",
            "key namespace: \"a}:b\" is not 1 to 32 of a-z",
        ),
        (
            "gateway: { port: {a: 1} }\n",
            "key gateway.port: is not a single value",
        ),
    ] {
        let text = problems::<GatewayRole>(&[], &[], Some(file));
        assert_lines(&text, &[expected]);
    }
    for file in ["", "# nothing\n", "gateway:\n", "gateway: { port: }\n"] {
        load::<GatewayRole>(&[], &[], Some(file)).unwrap();
    }
    // A broken file does not hide a bad flag.
    let text = problems::<GatewayRole>(&["--gateway-port", "x"], &[], Some("gateway: {\n"));
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_named_file_must_exist_and_wins_over_the_usual_one() {
    let directory = tempfile::tempdir().unwrap();
    let named = directory.path().join("other.yaml");
    std::fs::write(&named, "admin_port: 1\n").unwrap();
    std::fs::write(directory.path().join("factorial.yaml"), "admin_port: 2\n").unwrap();
    let bare = Environment::bare(directory.path());
    let usual = args::<GatewayRole>(&[]).load(&bare).unwrap();
    assert_eq!(usual.admin.port, 2);
    let by_variable =
        args::<GatewayRole>(&[]).load(&bare.clone().with("FACTORIAL_CONFIG", named.as_os_str()));
    assert_eq!(by_variable.unwrap().admin.port, 1);
    let missing = bare.with("FACTORIAL_CONFIG", "/nowhere.yaml");
    let by_flag = args::<GatewayRole>(&["--config", named.to_str().unwrap()]).load(&missing);
    assert_eq!(by_flag.unwrap().admin.port, 1);
    let text = args::<GatewayRole>(&[])
        .load(&missing)
        .unwrap_err()
        .to_string();
    assert_lines(&text, &["/nowhere.yaml: cannot be read"]);
}

#[test]
fn lists_switches_and_odd_text() {
    let line = ["--agents", "a,b", "--agents", "c", "--redis-tls=false"];
    let role: WorkerRole = load(&line, &[("REDIS_TLS", "true")], None).unwrap();
    assert_eq!(
        role.worker.agents,
        [Path::new("a"), Path::new("b"), Path::new("c")]
    );
    assert!(!role.redis.tls);
    let role: WorkerRole = load(
        &[],
        &[
            ("FACTORIAL_AGENTS", " a , b,"),
            ("FACTORIAL_WORKERS", " 3\n"),
        ],
        None,
    )
    .unwrap();
    assert_eq!((role.worker.agents.len(), role.worker.workers), (2, 3));
    let long = "x".repeat(10_000);
    let text = problems::<WorkerRole>(&["--workers", &long], &[], None);
    assert!(text.len() < 300, "{} bytes", text.len());
    for (name, bad) in [
        ("FACTORIAL_WORKERS", "-1"),
        ("FACTORIAL_WORKERS", "1.5"),
        ("FACTORIAL_TURN_TIMEOUT", "NaN"),
        ("FACTORIAL_TURN_TIMEOUT", "-3"),
        ("FACTORIAL_TURN_TIMEOUT", "1e300"),
        ("FACTORIAL_RETENTION_MULTIPLIER", "inf"),
        ("REDIS_TLS", "maybe"),
        ("FACTORIAL_NAMESPACE", "a\nb"),
    ] {
        let expected = format!("environment variable {name}: {bad:?} ");
        assert_lines(
            &problems::<WorkerRole>(&[], &[(name, bad)], None),
            &[&expected],
        );
    }
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_a_mistake_like_others() {
    use std::os::unix::ffi::OsStringExt;
    let bad = OsString::from_vec(vec![b'a', 0xff]);
    let environment = Environment::bare("/nowhere").with("FACTORIAL_NAMESPACE", bad);
    let text = args::<WorkerRole>(&["--workers=x"])
        .load(&environment)
        .unwrap_err()
        .to_string();
    assert_lines(
        &text,
        &[
            "environment variable FACTORIAL_NAMESPACE: is not valid UTF-8",
            "flag --workers",
        ],
    );
}
