//! Starts the engine's thread, tells it what to do, and waits for its end.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use mio::{Poll, Waker};

use super::event_loop::{Control, EventLoop, LISTENER, WAKER};
use super::listener::Listener;
use super::store::Store;
use crate::address::Address;
use crate::error::{ControlError, StartError};

/// How long the command that runs now may hold up a pause.
const PAUSE_WITHIN: Duration = Duration::from_secs(5);

/// The in-process engine, running or stopped, always on the same snapshot.
#[derive(Debug)]
pub(crate) struct EmbeddedServer {
    dir: PathBuf,
    config: Vec<(String, String)>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    control: Sender<Control>,
    waker: Waker,
    thread: JoinHandle<io::Result<()>>,
}

impl EmbeddedServer {
    /// An engine that is not running yet, with its snapshot in `dir`.
    pub(crate) fn new(dir: PathBuf, config: Vec<(String, String)>) -> Self {
        Self {
            dir,
            config,
            running: None,
        }
    }

    /// Loads the snapshot, listens, and starts the thread.
    pub(crate) fn start(&mut self, address: &Address) -> Result<(), StartError> {
        self.kill();
        let failed = |source| StartError::Listen {
            address: address.to_string(),
            source,
        };
        let poll = Poll::new().map_err(failed)?;
        let registry = poll.registry().try_clone().map_err(failed)?;
        let store = Store::open(&self.dir, &self.config, registry)?;
        let mut listener = Listener::bind(address).map_err(failed)?;
        listener
            .register(poll.registry(), LISTENER)
            .map_err(failed)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(failed)?;
        let (control, receiver) = channel();
        let event_loop = EventLoop {
            poll,
            listener,
            store,
            control: receiver,
        };
        let thread = Builder::new()
            .name("local-redis".into())
            .spawn(move || {
                let ended = event_loop.run();
                if let Err(error) = &ended {
                    tracing::error!(%error, "in-process redis engine failed");
                }
                ended
            })
            .map_err(failed)?;
        self.running = Some(Running {
            control,
            waker,
            thread,
        });
        Ok(())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !running.thread.is_finished())
    }

    /// Writes the snapshot and ends.
    pub(crate) fn stop(&mut self) -> Result<(), ControlError> {
        self.end(true)
    }

    /// Ends without a snapshot; no error if it has ended already.
    pub(crate) fn kill(&mut self) {
        match self.end(false) {
            Ok(()) | Err(ControlError::NotRunning) => {}
            Err(error) => tracing::warn!(%error, "in-process redis engine did not end well"),
        }
    }

    pub(crate) fn pause(&mut self) -> Result<(), ControlError> {
        let (begun, answer) = channel();
        self.tell(Control::Pause { begun })?;
        answer
            .recv_timeout(PAUSE_WITHIN)
            .map_err(|error| ControlError::Engine(error.to_string()))
    }

    pub(crate) fn resume(&mut self) -> Result<(), ControlError> {
        self.tell(Control::Resume)
    }

    fn tell(&self, control: Control) -> Result<(), ControlError> {
        let running = self.running.as_ref().ok_or(ControlError::NotRunning)?;
        running
            .control
            .send(control)
            .map_err(|_| ControlError::NotRunning)?;
        running
            .waker
            .wake()
            .map_err(|error| ControlError::Engine(error.to_string()))
    }

    fn end(&mut self, snapshot: bool) -> Result<(), ControlError> {
        let told = self.tell(Control::Stop { snapshot });
        let running = self.running.take().ok_or(ControlError::NotRunning)?;
        match running.thread.join() {
            Ok(Ok(())) => told,
            Ok(Err(error)) => Err(ControlError::Engine(error.to_string())),
            Err(_) => Err(ControlError::Engine("its thread panicked".into())),
        }
    }
}

impl Drop for EmbeddedServer {
    fn drop(&mut self) {
        self.kill();
    }
}
