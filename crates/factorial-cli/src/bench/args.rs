//! The command line of `factorial bench`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use factorial_bench::{Deployment, Options, Scenario, Target};
use factorial_service::config::Environment;
use secrecy::ExposeSecret as _;

use crate::args::Common;
use crate::error::CliError;

/// For `--help`.
pub(crate) const HELP: &str = "\
Every repeat has a namespace of its own, which is removed afterwards, and ends with a check that every task is where it \
should be exactly once; without that there is no figure. Compare figures of one call only: machines change their speed.

Examples:
  factorial bench drain --self --ceiling
  factorial bench dispatch --self --tasks 2000 --output json
  factorial bench soak --self --seconds 3600
  factorial bench enqueue --redis-url redis://10.0.0.5:6379
  factorial bench stream --agent assistant --url https://factorial.example --tasks 20

With --agent the tasks are real ones of that agent, and cost what its model costs.";

/// Options of `factorial bench`. What says where a gateway is says nothing without `--agent`.
#[derive(Clone, Debug, Args)]
#[command(mut_arg("factorial.url", |arg| arg.requires("agent").conflicts_with("private")),
    mut_arg("factorial.api_key", |arg| arg.requires("agent").conflicts_with("private")))]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub(crate) scenario: ScenarioArg,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Tasks of a repeat; of `turns`, runs; of `claim`, those in the large queues
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tasks: Option<u64>,
    /// Calls at once of `enqueue`, tasks in flight of `drain`, `inflight` and `parked`, readers of `stream`, clients of
    /// `soak`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=20_000))]
    pub(crate) concurrency: Option<u16>,
    /// REST calls at once, each on a connection of its own
    #[arg(long, value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// How often to measure; 3, of `idle`, `claim` and `soak` 1, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) repeats: Option<u16>,
    /// Partitions of the namespace that is made for it
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=4_096))]
    pub(crate) partitions: u16,
    /// How long `idle` and `soak` last; 60 and 300 unless given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub(crate) seconds: Option<u32>,
    /// Owners of the tasks in the queues of `claim` that have many
    #[arg(long, value_name = "N", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) owners: u32,
    /// Tasks before the first repeat, which are not counted; a tenth of --tasks unless given, 0 for none. `idle`, `claim`,
    /// `recovery` and `soak` have none
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
    /// What each task asks the agent of --agent; a request for a short answer unless given
    #[arg(long, value_name = "TEXT", requires = "agent")]
    pub(crate) query: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where to measure.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Place {
    /// On a private redis-server with an append-only file, synced every second; needs redis-server on PATH
    #[arg(long = "self", conflicts_with_all = ["redis_url", "agent"])]
    pub(crate) private: bool,
    /// On this Redis, with workers and gateways of this machine; with --agent only to tell what its tasks cost there
    #[arg(long, value_name = "URL")]
    pub(crate) redis_url: Option<String>,
    /// On a deployment that is there, behind the gateway at --url, by tasks of this agent
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
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
    /// What a worker without work costs
    Idle,
    /// Cost of a claim with few and with many queued tasks, of one owner and of many
    Claim,
    /// From the death of a worker to the run of its tasks elsewhere
    Recovery,
    /// From the answer to a parked task to its next request to the model, and what parked tasks weigh
    Parked,
    /// From an event to the readers of its task
    Stream,
    /// Everything together for a while, with workers that die
    Soak,
}

impl From<ScenarioArg> for Scenario {
    fn from(arg: ScenarioArg) -> Self {
        match arg {
            ScenarioArg::Enqueue => Self::Enqueue,
            ScenarioArg::Drain => Self::Drain,
            ScenarioArg::Dispatch => Self::Dispatch,
            ScenarioArg::Turns => Self::Turns,
            ScenarioArg::Inflight => Self::Inflight,
            ScenarioArg::Cancel => Self::Cancel,
            ScenarioArg::Steer => Self::Steer,
            ScenarioArg::Idle => Self::Idle,
            ScenarioArg::Claim => Self::Claim,
            ScenarioArg::Recovery => Self::Recovery,
            ScenarioArg::Parked => Self::Parked,
            ScenarioArg::Stream => Self::Stream,
            ScenarioArg::Soak => Self::Soak,
        }
    }
}

impl BenchArgs {
    /// As the load generator takes them.
    ///
    /// # Errors
    /// When the configuration of the client is wrong, of a deployment.
    pub(crate) fn options(&self, environment: &Environment) -> Result<Options, CliError> {
        let scenario = Scenario::from(self.scenario);
        let usual = Options::new(scenario, self.target(environment)?);
        let tasks = self.tasks.unwrap_or(usual.tasks);
        let warm_up = if scenario.warms_up() { tasks / 10 } else { 0 };
        Ok(Options {
            tasks,
            concurrency: self.concurrency.map_or(usual.concurrency, usize::from),
            connections: self.connections.into(),
            repeats: self.repeats.map_or(usual.repeats, usize::from),
            warm_up: self.warm_up.unwrap_or(warm_up),
            payload_bytes: usize::try_from(self.payload_bytes).unwrap_or(usual.payload_bytes),
            turns: self.turns,
            model_latency: Duration::from_millis(self.model_latency.into()),
            partitions: self.partitions,
            duration: self.seconds.map_or(usual.duration, |seconds| {
                Duration::from_secs(seconds.into())
            }),
            owners: self.owners.into(),
            ceiling: self.ceiling,
            ..usual
        })
    }

    fn target(&self, environment: &Environment) -> Result<Target, CliError> {
        let redis_url = self.place.redis_url.clone();
        let Some(agent) = self.place.agent.clone() else {
            return Ok(redis_url.map_or(Target::Private, Target::Redis));
        };
        let client = self.common.client.load(environment)?.client;
        let api_key = client.api_key.as_ref();
        Ok(Target::Gateway(Deployment {
            url: client.url.to_string(),
            api_key: api_key.map(|key| key.expose_secret().to_owned()),
            agent,
            query: self.query.clone(),
            redis_url,
        }))
    }
}
