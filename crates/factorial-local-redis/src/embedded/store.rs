//! The engine itself: commands in, replies out, and its snapshot file.
//!
//! The event loop drives it. It also runs commands of our own, for settings and
//! snapshots, over a connection without a socket that is opened before any client
//! can set a password.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mio::Registry;
use yo_reactor::Reactor;
use yo_resp::dispatch::Server;
use yo_resp::engine::pump;
use yo_resp::{Cmd, ConnId, Limits, Wire};

use super::listener::Accepted;
use super::peers::Peers;
use crate::error::StartError;
use crate::place::io_error;

/// Largest value that one command may carry, in bytes.
const MAX_VALUE: usize = 64 << 20;
/// Name of the snapshot; the engine has it fixed.
const SNAPSHOT: &str = "dump.rdb";

/// The databases, the connections, and the loop's working memory.
pub(crate) struct Store {
    reactor: Reactor<Wire<Peers>>,
    batch: Vec<Cmd>,
    own: ConnId,
    snapshot: PathBuf,
}

impl Store {
    /// An engine with the snapshot of `dir`, if there is one, and these settings.
    ///
    /// # Errors
    /// [`StartError::Snapshot`] for a damaged file, [`StartError::Config`] for a
    /// setting that the engine refuses.
    pub(crate) fn open(
        dir: &Path,
        config: &[(String, String)],
        registry: Registry,
    ) -> Result<Self, StartError> {
        let mut server = Server::new();
        server.set_dir(dir.to_path_buf());
        let snapshot = dir.join(SNAPSHOT);
        match fs::read(&snapshot) {
            Ok(image) => {
                server
                    .load_image(&image, true)
                    .map_err(|refused| StartError::Snapshot {
                        path: snapshot.clone(),
                        reason: refused.to_string(),
                    })?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("read", &snapshot)(error)),
        }
        let mut wire = Wire::with_server(server, Peers::new(registry));
        wire.set_limits(Limits {
            max_bulk: MAX_VALUE,
            ..Limits::default()
        });
        let own = wire.accept();
        let mut this = Self {
            reactor: Reactor::inline(wire),
            batch: Vec::new(),
            own,
            snapshot,
        };
        for (name, value) in config {
            let reply = this.command(&["CONFIG", "SET", name, value]);
            if !reply.starts_with("+OK") {
                return Err(StartError::Config {
                    name: name.clone(),
                    reply: reply.trim().into(),
                });
            }
        }
        Ok(this)
    }

    /// Runs everything that has arrived, and writes what there is to write.
    pub(crate) fn run(&mut self) {
        pump(&mut self.reactor, &mut self.batch);
        for conn in self.peers().take_broken() {
            self.reactor.engine_mut().hangup(conn);
        }
    }

    /// Gives the engine what one client sent.
    pub(crate) fn feed(&mut self, conn: ConnId, bytes: &[u8]) {
        self.reactor.engine_mut().feed(conn, bytes);
    }

    /// Opens a connection for an accepted socket.
    pub(crate) fn open_peer(&mut self, accepted: Accepted, local: &str) {
        let Accepted { stream, peer, unix } = accepted;
        // No descriptor number: it is shown in `CLIENT LIST` and used for nothing.
        let conn = self
            .reactor
            .engine_mut()
            .accept_from(&peer, local, -1, unix);
        if let Err(error) = self.peers().add(conn, stream) {
            tracing::warn!(%error, "client not accepted");
            self.reactor.engine_mut().hangup(conn);
        }
    }

    /// Forgets a client that has gone.
    pub(crate) fn close_peer(&mut self, conn: ConnId) {
        self.reactor.engine_mut().hangup(conn);
    }

    /// The sockets.
    pub(crate) fn peers(&mut self) -> &mut Peers {
        self.reactor.engine_mut().sink_mut()
    }

    /// Whether a client waits for a deadline that no socket will announce.
    pub(crate) fn has_waiters(&self) -> bool {
        self.reactor.engine().waiting() > 0
    }

    /// Whether commands are left that nothing more needs to arrive for.
    pub(crate) fn has_ready(&self) -> bool {
        self.reactor.engine().ready() > 0
    }

    /// Whether a client sent SHUTDOWN.
    pub(crate) fn is_stopping(&self) -> bool {
        self.reactor.engine().stopping()
    }

    /// Writes the snapshot, and replaces the old one in one step.
    ///
    /// # Errors
    /// The engine does not say why; the error names the file.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        let reply = self.command(&["SAVE"]);
        if reply.starts_with("+OK") {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "snapshot {} not written",
            self.snapshot.display()
        )))
    }

    /// Runs one command of our own.
    fn command(&mut self, words: &[&str]) -> String {
        let mut wire = format!("*{}\r\n", words.len());
        for word in words {
            wire.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        let own = self.own;
        self.feed(own, wire.as_bytes());
        self.run();
        String::from_utf8_lossy(&self.peers().take_own()).into_owned()
    }
}
