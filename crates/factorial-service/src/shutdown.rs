//! How a process is asked to end: first gently, then at once.
//!
//! Made by `main` and passed to everything that runs. Invariant: `now` implies `drain`.

use std::io;

use tokio_util::sync::CancellationToken;

/// Two tokens; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new, finish or hand back what is open.
    pub drain: CancellationToken,
    /// Release everything and end.
    pub now: CancellationToken,
}

impl Shutdown {
    /// Tokens that nobody cancels but their holders, for tests and for services inside another process.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens that follow SIGTERM and SIGINT: the first signal asks to drain, the second to end now.
    ///
    /// # Errors
    /// When the signals cannot be listened to. Must be called within a tokio runtime.
    pub fn from_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let signals = Signals::new()?;
        tokio::spawn(follow(shutdown.clone(), signals));
        Ok(shutdown)
    }

    /// Asks to drain.
    pub fn start_drain(&self) {
        self.drain.cancel();
    }

    /// Asks to end now.
    pub fn stop_now(&self) {
        self.drain.cancel();
        self.now.cancel();
    }
}

async fn follow(shutdown: Shutdown, mut signals: Signals) {
    let Some(signal) = signals.next().await else {
        return;
    };
    tracing::info!(signal, "draining");
    shutdown.start_drain();
    let Some(signal) = signals.next().await else {
        return;
    };
    tracing::warn!(signal, "stopping now");
    shutdown.stop_now();
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Option<&'static str> {
        tokio::select! {
            received = self.terminate.recv() => received.map(|()| "SIGTERM"),
            received = self.interrupt.recv() => received.map(|()| "SIGINT"),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<&'static str> {
        tokio::signal::ctrl_c().await.ok().map(|()| "ctrl-c")
    }
}
