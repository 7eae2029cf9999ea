//! Configuration that nobody should write: whatever it is, it is taken or a problem is told.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

use clap::{Args, Command, FromArgMatches};
use factorial_service::config::{ConfigArgs, DevRole, Environment};

fn args() -> ConfigArgs<DevRole> {
    let command = ConfigArgs::<DevRole>::augment_args(Command::new("test"));
    ConfigArgs::from_arg_matches(&command.try_get_matches_from(["test"]).unwrap()).unwrap()
}

#[test]
fn fuzz_configuration_file() {
    let seeds = [
        "redis_host: ::1\nredis_port: 6380\nredis_password: secret-word\nredis_timeout_seconds: .5\nnamespace: prod-1\npartitions: 16\n",
        "worker:\n  agents: [a.yaml, \"b,c.yaml\"]\n  heartbeat_interval: 2.5\n  runners:\n    a: { workers: 2, turn_timeout: 300 }\n    b: ~\n",
        "maintenance:\n  task_ttl: { completed_ttl: 60 }\nmetrics:\n  bucket_size: seconds\n  timeline_duration: 100\nlog_level: info,a=debug\n",
        "redis_url: redis://u:secret-word@localhost/0\nauth:\n  enabled: true\n",
    ];
    let directory = tempfile::tempdir().unwrap();
    let environment = Environment::bare(directory.path());
    let file = directory.path().join("factorial.yaml");
    let args = args();
    factorial_fuzz::bytes(&seeds.map(str::as_bytes), |bytes| {
        std::fs::write(&file, bytes).unwrap();
        if let Err(problems) = args.load(&environment) {
            assert!(!problems.to_string().is_empty());
        }
    });
}

#[test]
fn fuzz_environment() {
    // One variable a line.
    let seeds = [
        "REDIS_URL=redis://u:secret-word@localhost/0\nFACTORIAL_WORKERS=3\nFACTORIAL_NAMESPACE=prod-1\nFACTORIAL_PARTITIONS=16",
        "REDIS_HOST=::1\nREDIS_PORT=6380\nREDIS_DB=3\nREDIS_PASSWORD=secret-word\nREDIS_TLS=true\nFACTORIAL_LOG_LEVEL=info,a=debug",
        "FACTORIAL_ADMIN_HOST=0.0.0.0\nFACTORIAL_ADMIN_PORT=8001\nFACTORIAL_TURN_TIMEOUT=1.5\nOTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
    ];
    let args = args();
    factorial_fuzz::texts(&seeds, |text| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let environment = pairs.fold(
            Environment::bare("/nowhere"),
            |environment, (name, value)| environment.with(name, value),
        );
        if let Err(problems) = args.load(&environment) {
            assert!(!problems.to_string().is_empty());
        }
    });
}

#[test]
fn a_file_that_is_nested_too_deep_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let environment = Environment::bare(directory.path());
    for levels in [17, 10_000] {
        let file = format!("worker:\n  {}1", "- ".repeat(levels));
        std::fs::write(directory.path().join("factorial.yaml"), file).unwrap();
        let Err(problems) = args().load(&environment) else {
            panic!("{levels} levels are taken");
        };
        let told = problems.to_string();
        assert!(told.contains("is nested deeper than 16 levels"), "{told}");
    }
}
