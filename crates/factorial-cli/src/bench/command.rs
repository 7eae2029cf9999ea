//! Runs the load generator, and becomes one of its processes.

use factorial_bench::Surroundings;
use factorial_service::Shutdown;
use factorial_service::config::Environment;
use ulid::Ulid;

use super::args::BenchArgs;
use super::progress::Bar;
use super::table::report_text;
use crate::config::own_program;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Printer;

/// The hidden command that becomes a process of a measurement.
const ROLE_COMMAND: &str = "bench-role";

/// Measures, and prints the report.
///
/// # Errors
/// Why there is none.
pub(crate) async fn run(
    args: &BenchArgs,
    environment: &Environment,
    printer: &Printer,
) -> Result<Exit, CliError> {
    let options = args.options(environment)?;
    let user = Shutdown::from_signals().map_err(CliError::Signals)?;
    let surroundings = Surroundings {
        clock: unix_us,
        unique: Ulid::generate,
        stop: user.drain.clone(),
        program: own_program().map_err(CliError::OwnProgram)?,
        role_args: vec![ROLE_COMMAND.to_owned()],
    };
    let bar = Bar::new(printer);
    let report = factorial_bench::run(&options, &surroundings, &bar).await;
    bar.end();
    let report = report?;
    printer
        .print(&report, |paint| report_text(&report, paint))
        .map_err(CliError::Output)?;
    Ok(Exit::Success)
}

/// Becomes a worker or a gateway of a measurement, until its standard input ends.
///
/// # Errors
/// Why it did not start.
pub(crate) async fn role() -> Result<Exit, CliError> {
    factorial_bench::run_role(unix_us, Ulid::generate).await?;
    Ok(Exit::Success)
}

/// Microseconds since the Unix epoch.
fn unix_us() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or_default()
}
