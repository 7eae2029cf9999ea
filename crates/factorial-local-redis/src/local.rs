//! The one type that callers hold: a server, its directory, and its address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::address::Address;
use crate::config::find_server;
use crate::embedded::EmbeddedServer;
use crate::error::{ControlError, StartError};
use crate::options::{Engine, Kind, Listen, Options};
use crate::place::{self, Place};
use crate::server::ServerProcess;

/// How often a start on "any free port" tries another port.
const PORT_ATTEMPTS: usize = 5;

/// A private Redis server. Dropping it stops it cleanly when the data stays, and
/// kills it when the data is temporary.
#[derive(Debug)]
pub struct LocalRedis {
    backend: Backend,
    address: Address,
    // After the backend, so that the server has ended when its directory goes.
    place: Place,
}

#[derive(Debug)]
enum Backend {
    Server(ServerProcess),
    Embedded(EmbeddedServer),
}

impl LocalRedis {
    /// Starts a server and waits until it answers. Blocks.
    ///
    /// # Errors
    /// A [`StartError`] that says what is missing or in the way.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            engine,
            data_dir,
            listen,
            config,
            ready_within,
        } = options;
        let program = match engine {
            Engine::Auto => find_server(),
            Engine::Server => Some(find_server().ok_or(StartError::NotInstalled)?),
            Engine::Embedded => None,
        };
        let mut place = Place::take(data_dir.as_deref())?;
        let address = place.address(listen)?;
        let backend = Backend::new(program, &place, config, ready_within)?;
        let mut this = Self {
            backend,
            address,
            place,
        };
        this.launch(listen)?;
        tracing::info!(url = %this.address, engine = %this.describe(), "local redis started");
        Ok(this)
    }

    /// Starts the backend; for a port that was taken meanwhile, on the next one.
    fn launch(&mut self, listen: Listen) -> Result<(), StartError> {
        let mut attempt = 1;
        loop {
            let started = self.backend.start(&self.address);
            let retry = listen == Listen::Tcp { port: 0 }
                && attempt < PORT_ATTEMPTS
                && matches!(
                    started,
                    Err(StartError::Exited { .. } | StartError::Listen { .. })
                );
            if !retry {
                return started;
            }
            attempt += 1;
            self.address = Address::Tcp(place::free_port()?);
        }
    }

    /// The URL as the `redis` crate takes it: `redis+unix:///…` or
    /// `redis://127.0.0.1:port`. It stays the same for the life of this value.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.to_string()
    }

    /// What kind of server this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.backend {
            Backend::Server(server) => Kind::Server {
                program: server.program().to_path_buf(),
            },
            Backend::Embedded(_) => Kind::Embedded,
        }
    }

    /// The directory that holds the data, the lock and the log.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.place.dir()
    }

    /// The id of the server's process; none for the in-process engine, and none
    /// while it is down.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match &self.backend {
            Backend::Server(server) => server.pid(),
            Backend::Embedded(_) => None,
        }
    }

    /// One line that says what this server is and what it keeps.
    #[must_use]
    pub fn describe(&self) -> String {
        let kept = match (&self.backend, self.place.is_temporary()) {
            (_, true) => "temporary data, gone when it ends".to_owned(),
            (Backend::Server(_), false) => {
                format!("append-only file in {}", self.place.dir().display())
            }
            (Backend::Embedded(_), false) => {
                format!(
                    "data in memory, saved to {} at a clean stop only",
                    self.place.dir().display()
                )
            }
        };
        match &self.backend {
            Backend::Server(server) => format!("private {}; {kept}", server.program().display()),
            Backend::Embedded(_) => {
                format!(
                    "in-process Redis-compatible engine, for trying out, never for production; {kept}"
                )
            }
        }
    }

    /// Whether the server runs. A paused server runs.
    pub fn is_running(&mut self) -> bool {
        match &mut self.backend {
            Backend::Server(server) => server.is_running(),
            Backend::Embedded(engine) => engine.is_running(),
        }
    }

    /// Stops cleanly, with everything saved. Blocks until it has ended.
    ///
    /// # Errors
    /// [`ControlError::NotRunning`], or why the end was not clean.
    pub fn stop(&mut self) -> Result<(), ControlError> {
        match &mut self.backend {
            Backend::Server(server) => server.stop(),
            Backend::Embedded(engine) => engine.stop(),
        }
    }

    /// Ends it at once, as `kill -9` does. The append-only file keeps what was
    /// answered; the in-process engine loses what came after its last snapshot.
    pub fn kill(&mut self) {
        match &mut self.backend {
            Backend::Server(server) => server.kill(),
            Backend::Embedded(engine) => engine.kill(),
        }
    }

    /// Starts again on the same data and address, after a clean stop if it runs.
    /// Blocks until it answers.
    ///
    /// # Errors
    /// As for [`LocalRedis::start`].
    pub fn restart(&mut self) -> Result<(), StartError> {
        if self.is_running() {
            self.stop()?;
        }
        self.backend.start(&self.address)
    }

    /// Freezes it: connections stay open and nothing is answered.
    ///
    /// # Errors
    /// [`ControlError::NotRunning`], or why the signal was not delivered.
    pub fn pause(&mut self) -> Result<(), ControlError> {
        match &mut self.backend {
            Backend::Server(server) => server.signal("pause", Signal::STOP),
            Backend::Embedded(engine) => engine.pause(),
        }
    }

    /// Goes on after [`LocalRedis::pause`].
    ///
    /// # Errors
    /// [`ControlError::NotRunning`], or why the signal was not delivered.
    pub fn resume(&mut self) -> Result<(), ControlError> {
        match &mut self.backend {
            Backend::Server(server) => server.signal("resume", Signal::CONT),
            Backend::Embedded(engine) => engine.resume(),
        }
    }
}

impl Drop for LocalRedis {
    fn drop(&mut self) {
        if self.place.is_temporary() || !self.is_running() {
            return self.kill();
        }
        if let Err(error) = self.stop() {
            tracing::error!(%error, "local redis did not stop cleanly");
        }
    }
}

impl Backend {
    /// The two kinds keep their files apart, because neither reads the other's.
    fn new(
        program: Option<PathBuf>,
        place: &Place,
        config: Vec<(String, String)>,
        ready_within: Duration,
    ) -> Result<Self, StartError> {
        let (mine, other) = if program.is_some() {
            ("server", "embedded")
        } else {
            ("embedded", "server")
        };
        let first = !place.dir().join(mine).exists();
        if first && place.dir().join(other).exists() {
            tracing::warn!(
                dir = %place.dir().display(), using = mine, left = other,
                "data of the other kind of redis is left aside"
            );
        }
        let dir = place.subdir(mine)?;
        Ok(match program {
            Some(program) => Self::Server(ServerProcess::new(program, dir, config, ready_within)),
            None => Self::Embedded(EmbeddedServer::new(dir, config)),
        })
    }

    fn start(&mut self, address: &Address) -> Result<(), StartError> {
        match self {
            Self::Server(server) => server.start(address),
            Self::Embedded(engine) => engine.start(address),
        }
    }
}
