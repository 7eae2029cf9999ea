//! The settings as flags of a service, and of another command.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsString;

use clap::{Args, Command, Parser};
use factorial_service::config::{
    ConfigArgs, DevRole, Environment, GatewayRole, WorkerRole, from_command_line,
};

#[derive(Parser)]
enum Cli {
    Dev {
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        config: ConfigArgs<DevRole>,
    },
}

#[test]
fn the_flags_can_be_part_of_another_command() {
    let Cli::Dev { open, config } = Cli::parse_from([
        "factorial",
        "dev",
        "--workers",
        "2",
        "--open",
        "--maintenance-workers=3",
    ]);
    let role = config.load(&Environment::bare("/nowhere")).unwrap();
    assert!(open);
    assert_eq!((role.worker.workers, role.maintenance.workers), (2, 3));
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn help_names_variable_and_default_and_hides_nothing() {
    let mut command = ConfigArgs::<GatewayRole>::augment_args(Command::new("factorial-gateway"));
    let help = command.render_long_help().to_string();
    // Lines are wrapped at the width of the terminal.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "--redis-url",
        "[env: REDIS_URL]",
        "[env: FACTORIAL_MAX_BODY_BYTES] [default: 1048576]",
        "[default: 0.8]",
    ] {
        assert!(help.contains(expected), "{expected}");
    }
    assert!(!help.contains("--openai-api-key"));
}

#[test]
fn a_service_exits_with_64_on_mistakes_and_0_on_help() {
    let run = |line: &[&str]| {
        let line = ["factorial-worker"].iter().chain(line).map(OsString::from);
        from_command_line::<WorkerRole>(
            Command::new("factorial-worker").version("1"),
            line,
            &Environment::bare("/nowhere"),
        )
    };
    assert_eq!(run(&["--workers", "3"]).unwrap().worker.workers, 3);
    let code = |line: &[&str]| format!("{:?}", run(line).unwrap_err());
    let exit = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    assert_eq!(code(&["--workers", "x"]), exit(64));
    assert_eq!(code(&["--no-such-flag"]), exit(64));
    assert_eq!(code(&["--help"]), exit(0));
    assert_eq!(code(&["--version"]), exit(0));
}
