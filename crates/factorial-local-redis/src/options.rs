//! What a caller asks for when it starts a server, and what it got.

use std::path::PathBuf;
use std::time::Duration;

/// Which kind of server to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// `redis-server` on PATH, else `valkey-server`, else the in-process engine.
    #[default]
    Auto,
    /// A real server; an error when none is installed.
    Server,
    /// The in-process engine.
    Embedded,
}

/// Where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// A Unix socket in the data directory, or in the temporary directory when
    /// that path is too long for a socket.
    #[default]
    Unix,
    /// A port of 127.0.0.1; 0 takes a free one, which a restart keeps.
    Tcp {
        /// The port.
        port: u16,
    },
}

/// How to start a [`crate::LocalRedis`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Which kind of server.
    pub engine: Engine,
    /// Where the data stays between starts; without one, a temporary directory
    /// that is removed when the server is dropped. One process at a time may use
    /// a directory.
    pub data_dir: Option<PathBuf>,
    /// Where the server listens.
    pub listen: Listen,
    /// Further settings as name and value, such as `("maxmemory", "64mb")`. The
    /// in-process engine takes those that `CONFIG SET` takes.
    pub config: Vec<(String, String)>,
    /// How long the server may take to answer its first PING. Loading a data file
    /// does not count.
    pub ready_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: Engine::Auto,
            data_dir: None,
            listen: Listen::Unix,
            config: Vec::new(),
            ready_within: Duration::from_secs(10),
        }
    }
}

/// What kind of server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A child process.
    Server {
        /// The program that was started.
        program: PathBuf,
    },
    /// The engine inside this process.
    Embedded,
}
