//! Settings of the simulated server, for the binary and for those who embed it.
//!
//! The only module that reads the environment (through clap).

use std::net::SocketAddr;

use crate::behaviour::Behaviour;

/// Requests kept for [`Sim::requests`](crate::Sim::requests) unless told otherwise.
const DEFAULT_HISTORY: usize = 1_000;

/// How one simulated server answers.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Applies to every request to which nothing more specific applies; its latency and token delay are the
    /// defaults of the others.
    pub behaviour: Behaviour,
    /// Model names served, and listed by `GET /v1/models`. Empty: any name is served.
    pub models: Vec<String>,
    /// How many of the last requests are remembered; 0 remembers none.
    pub history: usize,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            behaviour: Behaviour::default(),
            models: Vec::new(),
            history: DEFAULT_HISTORY,
            max_body_bytes: 64 * 1024 * 1024,
        }
    }
}

/// Command line of `factorial-sim`.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "factorial-sim",
    version,
    about = "A simulated OpenAI-compatible model server"
)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "FACTORIAL_SIM_LISTEN", default_value = "127.0.0.1:8091")]
    pub listen: SocketAddr,
    /// Milliseconds before the first byte of a reply
    #[arg(long, env = "FACTORIAL_SIM_LATENCY_MS", default_value_t = 0)]
    pub latency_ms: u64,
    /// Milliseconds before each token of a streamed reply
    #[arg(long, env = "FACTORIAL_SIM_TOKEN_DELAY_MS", default_value_t = 0)]
    pub token_delay_ms: u64,
    /// Model names to serve, separated by commas; without it any name is served
    #[arg(long, env = "FACTORIAL_SIM_MODELS", value_delimiter = ',')]
    pub models: Vec<String>,
    /// How many of the last requests GET /admin/requests remembers
    #[arg(long, env = "FACTORIAL_SIM_HISTORY", default_value_t = DEFAULT_HISTORY)]
    pub history: usize,
}

impl Args {
    /// The server settings that these arguments ask for.
    pub fn config(&self) -> SimConfig {
        SimConfig {
            behaviour: Behaviour {
                latency_ms: Some(self.latency_ms),
                token_delay_ms: Some(self.token_delay_ms),
                ..Behaviour::default()
            },
            models: self.models.clone(),
            history: self.history,
            ..SimConfig::default()
        }
    }
}
