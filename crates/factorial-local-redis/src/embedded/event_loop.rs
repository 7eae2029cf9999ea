//! The engine's event loop: sleeps in the poller until a socket or a deadline needs it.
//!
//! One thread owns everything here, so nothing is locked. It wakes up for sockets,
//! for [`Control`] messages, for the deadlines of blocked clients, and ten times a
//! second for expiry.

use std::io;
use std::sync::mpsc::{Receiver, RecvError, Sender, TryRecvError};
use std::time::Duration;

use mio::{Events, Poll, Token};

use super::listener::Listener;
use super::peers::{Got, Peers};
use super::store::Store;

pub(crate) const LISTENER: Token = Token(usize::MAX);
pub(crate) const WAKER: Token = Token(usize::MAX - 1);

/// Most clients at once.
const MAX_CLIENTS: usize = 10_000;
/// The engine does not say when its next blocked client times out, so while there is
/// one it is asked this often: a timeout is late by at most this.
const DEADLINE_STEP: Duration = Duration::from_millis(5);
/// How often keys are expired while nothing happens.
const IDLE_STEP: Duration = Duration::from_millis(100);

/// What the owner of the thread tells it.
#[derive(Debug)]
pub(crate) enum Control {
    /// End, with a snapshot or without.
    Stop { snapshot: bool },
    /// Answer nothing until `Resume` or `Stop`; says when that has begun.
    Pause { begun: Sender<()> },
    /// Go on.
    Resume,
}

/// Everything that the thread owns.
pub(crate) struct EventLoop {
    pub(crate) poll: Poll,
    pub(crate) listener: Listener,
    pub(crate) store: Store,
    pub(crate) control: Receiver<Control>,
}

impl EventLoop {
    /// Runs until it is told to stop, or a client sends SHUTDOWN.
    ///
    /// # Errors
    /// From the poller, or from writing the snapshot at the end.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        let mut buffer = vec![0_u8; 64 << 10];
        // A listener that failed for want of descriptors reports no new event.
        let mut accept_pending = false;
        loop {
            let timeout = self.timeout();
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let mut told = false;
            for event in &events {
                match event.token() {
                    LISTENER => accept_pending = true,
                    WAKER => told = true,
                    Token(conn) => {
                        let Ok(conn) = u32::try_from(conn) else {
                            continue;
                        };
                        let readable =
                            event.is_readable() || event.is_read_closed() || event.is_error();
                        self.store
                            .peers()
                            .ready(conn, readable, event.is_writable());
                    }
                }
            }
            self.read_all(&mut buffer);
            self.store.run();
            if accept_pending {
                accept_pending = self.accept_all();
            }
            if told && let Some(snapshot) = self.obey() {
                return if snapshot { self.store.save() } else { Ok(()) };
            }
            if self.store.is_stopping() {
                return self.store.save();
            }
        }
    }

    fn timeout(&mut self) -> Duration {
        if self.store.peers().has_hot() || self.store.has_ready() {
            Duration::ZERO
        } else if self.store.has_waiters() {
            DEADLINE_STEP
        } else {
            IDLE_STEP
        }
    }

    /// Reads a turn's worth from each client that has something to read.
    fn read_all(&mut self, buffer: &mut [u8]) {
        for conn in self.store.peers().take_hot() {
            match self.store.peers().may_read(conn) {
                Some(true) => self.read_one(conn, buffer),
                Some(false) => self.store.peers().still_hot(conn),
                None => {}
            }
        }
    }

    fn read_one(&mut self, conn: u32, buffer: &mut [u8]) {
        let mut left = Peers::turn();
        while left > 0 {
            match self.store.peers().read(conn, buffer) {
                Got::Bytes(n) => {
                    self.store.feed(conn, &buffer[..n]);
                    left = left.saturating_sub(n);
                }
                Got::Drained => return,
                Got::Gone => return self.store.close_peer(conn),
            }
        }
        self.store.peers().still_hot(conn);
    }

    /// Accepts every waiting client; true when some may still wait.
    fn accept_all(&mut self) -> bool {
        let local = self.listener.local();
        loop {
            match self.listener.accept() {
                Ok(_refused) if self.store.peers().open() >= MAX_CLIENTS => {
                    tracing::warn!("client refused: too many clients");
                }
                Ok(accepted) => self.store.open_peer(accepted, &local),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    return true;
                }
            }
        }
    }

    /// Does what the owner says; the answer is how to end, if it is to end.
    fn obey(&mut self) -> Option<bool> {
        loop {
            match self.control.try_recv() {
                Ok(Control::Stop { snapshot }) => return Some(snapshot),
                Ok(Control::Resume) => {}
                Ok(Control::Pause { begun }) => match self.pause(begun) {
                    Ok(None) => {}
                    Ok(snapshot) => return snapshot,
                    Err(RecvError) => return Some(false),
                },
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => return Some(false),
            }
        }
    }

    /// Does nothing until it is told to go on, or how to end.
    fn pause(&mut self, begun: Sender<()>) -> Result<Option<bool>, RecvError> {
        let mut begun = Some(begun);
        loop {
            // Who asked may have stopped waiting; the pause holds all the same.
            if let Some(Err(error)) = begun.take().map(|begun| begun.send(())) {
                tracing::debug!(%error, "nobody waits for the pause");
            }
            match self.control.recv()? {
                Control::Pause { begun: again } => begun = Some(again),
                Control::Resume => return Ok(None),
                Control::Stop { snapshot } => return Ok(Some(snapshot)),
            }
        }
    }
}
