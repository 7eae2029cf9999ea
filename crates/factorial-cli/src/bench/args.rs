//! The command line of `factorial bench`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use factorial_bench::{Options, Scenario, Target};

use crate::output::Format;

/// For `--help`.
pub(crate) const HELP: &str = "\
Every repeat has a namespace of its own, which is removed afterwards, and ends with a check that every task is where it \
should be exactly once; without that there is no figure. Compare figures of one call only: machines change their speed.

Examples:
  factorial bench drain --self --ceiling
  factorial bench dispatch --self --tasks 2000 --output json
  factorial bench enqueue --redis-url redis://10.0.0.5:6379";

/// Options of `factorial bench`.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub(crate) scenario: ScenarioArg,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Tasks of a repeat; of `turns`, runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tasks: Option<u64>,
    /// Calls at once, or tasks in flight; only for `enqueue`, `drain` and `inflight`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=20_000))]
    pub(crate) concurrency: Option<u16>,
    /// REST calls at once, each on a connection of its own
    #[arg(long, value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// How often to measure
    #[arg(long, value_name = "N", default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) repeats: u16,
    /// Tasks before the first repeat, which are not counted; a tenth of --tasks unless given, 0 for none
    #[arg(long, value_name = "N")]
    pub(crate) warm_up: Option<u64>,
    /// Bytes of a task's payload
    #[arg(long, value_name = "BYTES", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) payload_bytes: u32,
    /// Turns of a run, for `turns`
    #[arg(long, value_name = "N", default_value_t = 40,
        value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) turns: u32,
    /// Milliseconds that the simulated model lets a call wait, for `inflight`
    #[arg(long, value_name = "MS", default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub(crate) model_latency: u32,
    /// Measure minimal scripts on the same server before every repeat, and compare
    #[arg(long)]
    pub(crate) ceiling: bool,
    /// Form of the output
    #[arg(
        long,
        short,
        value_enum,
        default_value_t,
        env = "FACTORIAL_OUTPUT",
        hide_env_values = true,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
}

/// Where to measure.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// On a private redis-server with an append-only file, synced every second; needs redis-server on PATH
    #[arg(long = "self")]
    pub(crate) private: bool,
    /// On this Redis, with workers and gateways of this machine
    #[arg(long, value_name = "URL")]
    pub(crate) redis_url: Option<String>,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScenarioArg {
    /// Accepting tasks, through the store and through REST
    Enqueue,
    /// Running tasks that do nothing, in one worker process
    Drain,
    /// Idle latency: from enqueue to the agent, and from REST to the model
    Dispatch,
    /// Overhead of a turn with one tool, and bytes written
    Turns,
    /// Slow model calls, all at once in one worker process
    Inflight,
    /// From a cancellation to the closed socket of the model, with all tasks running
    Cancel,
    /// From a message that interrupts to the next request to the model, with all tasks running
    Steer,
}

impl BenchArgs {
    /// As the load generator takes them.
    pub(crate) fn options(&self) -> Options {
        let scenario = match self.scenario {
            ScenarioArg::Enqueue => Scenario::Enqueue,
            ScenarioArg::Drain => Scenario::Drain,
            ScenarioArg::Dispatch => Scenario::Dispatch,
            ScenarioArg::Turns => Scenario::Turns,
            ScenarioArg::Inflight => Scenario::Inflight,
            ScenarioArg::Cancel => Scenario::Cancel,
            ScenarioArg::Steer => Scenario::Steer,
        };
        let target = match &self.place.redis_url {
            Some(url) => Target::Redis(url.clone()),
            None => Target::Private,
        };
        let usual = Options::new(scenario, target);
        let tasks = self.tasks.unwrap_or(usual.tasks);
        Options {
            tasks,
            concurrency: self.concurrency.map_or(usual.concurrency, usize::from),
            connections: self.connections.into(),
            repeats: self.repeats.into(),
            warm_up: self.warm_up.unwrap_or(tasks / 10),
            payload_bytes: usize::try_from(self.payload_bytes).unwrap_or(usual.payload_bytes),
            turns: self.turns,
            model_latency: Duration::from_millis(self.model_latency.into()),
            ceiling: self.ceiling,
            ..usual
        }
    }
}
