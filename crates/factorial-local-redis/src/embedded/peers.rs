//! The engine's clients: their sockets, what is owed to each, and the bounds.
//!
//! The engine keeps the bytes; this type moves them and remembers which socket is
//! ready for what, because the poller reports each change of readiness only once.
//! A client that takes too few replies, or sends without end, is dropped, so no
//! client can make the process grow without bound.

use std::io;

use mio::{Interest, Registry, Token};
use yo_resp::{ConnId, Sink};

use super::listener::Stream;

/// Replies waiting for one client beyond which nothing more is read from it.
const READ_STOP: usize = 1 << 20;
/// Replies waiting for one client beyond which it is dropped.
const OWED_MAX: usize = 256 << 20;
/// Bytes from one client without any reply beyond which it is dropped. One command
/// with its largest values must fit, see `store::MAX_VALUE`.
const UNANSWERED_MAX: usize = 160 << 20;
/// Bytes read from one client before the others have their turn.
const READ_TURN: usize = 256 << 10;

struct Peer {
    stream: Box<dyn Stream>,
    readable: bool,
    writable: bool,
    owed: usize,
    unanswered: usize,
}

/// What one call of [`Peers::read`] found.
pub(crate) enum Got {
    /// This many bytes are in the buffer.
    Bytes(usize),
    /// Nothing more for now.
    Drained,
    /// The client has gone, or broke a bound.
    Gone,
}

/// All sockets, by the engine's connection number.
pub(crate) struct Peers {
    registry: Registry,
    peers: Vec<Option<Peer>>,
    // Connections to close after the commands that are running now.
    broken: Vec<ConnId>,
    // Connections that may have bytes to read.
    hot: Vec<ConnId>,
    // Replies to the engine's own connection, which has no socket.
    own: Vec<u8>,
}

impl Peers {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            peers: Vec::new(),
            broken: Vec::new(),
            hot: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Puts the socket of a new connection under the poller.
    pub(crate) fn add(&mut self, conn: ConnId, mut stream: Box<dyn Stream>) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.registry
            .register(&mut stream, Token(conn as usize), both)?;
        let at = conn as usize;
        if self.peers.len() <= at {
            self.peers.resize_with(at + 1, || None);
        }
        self.peers[at] = Some(Peer {
            stream,
            readable: false,
            writable: true,
            owed: 0,
            unanswered: 0,
        });
        Ok(())
    }

    /// Notes what the poller said about a connection.
    pub(crate) fn ready(&mut self, conn: ConnId, readable: bool, writable: bool) {
        let Some(peer) = self.peers.get_mut(conn as usize).and_then(Option::as_mut) else {
            return;
        };
        peer.writable |= writable;
        if readable && !peer.readable {
            peer.readable = true;
            self.hot.push(conn);
        }
    }

    /// Takes the list of connections that may be read now.
    pub(crate) fn take_hot(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.hot)
    }

    /// Whether a connection can be read without waiting for the poller.
    pub(crate) fn has_hot(&self) -> bool {
        self.hot.iter().any(|&conn| {
            let peer = self.peers.get(conn as usize).and_then(Option::as_ref);
            peer.is_none_or(|peer| peer.owed < READ_STOP)
        })
    }

    /// Keeps a connection on the list for the next turn.
    pub(crate) fn still_hot(&mut self, conn: ConnId) {
        self.hot.push(conn);
    }

    /// Whether this connection owes too much to be read, or still exists at all.
    pub(crate) fn may_read(&self, conn: ConnId) -> Option<bool> {
        let peer = self.peers.get(conn as usize)?.as_ref()?;
        Some(peer.owed < READ_STOP)
    }

    /// How many bytes one connection may send before the next one has its turn.
    pub(crate) const fn turn() -> usize {
        READ_TURN
    }

    /// Reads once into `into`.
    pub(crate) fn read(&mut self, conn: ConnId, into: &mut [u8]) -> Got {
        let Some(peer) = self.peers.get_mut(conn as usize).and_then(Option::as_mut) else {
            return Got::Drained;
        };
        loop {
            match peer.stream.read(into) {
                Ok(0) => return Got::Gone,
                Ok(n) => {
                    peer.unanswered += n;
                    if peer.unanswered > UNANSWERED_MAX {
                        tracing::warn!(conn, "client dropped: endless input");
                        return Got::Gone;
                    }
                    return Got::Bytes(n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    peer.readable = false;
                    return Got::Drained;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Got::Gone,
            }
        }
    }

    /// Takes the connections whose sockets failed or that broke a bound.
    pub(crate) fn take_broken(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.broken)
    }

    /// Takes what the engine answered on its own connection.
    pub(crate) fn take_own(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.own)
    }

    /// How many sockets are open.
    pub(crate) fn open(&self) -> usize {
        self.peers.iter().flatten().count()
    }
}

impl Sink for Peers {
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some(peer) = self.peers.get_mut(conn as usize).and_then(Option::as_mut) else {
            self.own.extend_from_slice(bytes);
            return bytes.len();
        };
        peer.unanswered = 0;
        let mut taken = 0;
        while peer.writable && taken < bytes.len() {
            match peer.stream.write(&bytes[taken..]) {
                Ok(n) if n > 0 => taken += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => peer.writable = false,
                Ok(_) | Err(_) => {
                    self.broken.push(conn);
                    return bytes.len();
                }
            }
        }
        peer.owed = bytes.len() - taken;
        if peer.owed > OWED_MAX {
            tracing::warn!(conn, "client dropped: it does not read its replies");
            self.broken.push(conn);
            return bytes.len();
        }
        taken
    }

    fn closed(&mut self, conn: ConnId) {
        let peer = self.peers.get_mut(conn as usize).and_then(Option::take);
        if let Some(mut peer) = peer
            && let Err(error) = self.registry.deregister(&mut peer.stream)
        {
            tracing::debug!(%error, conn, "socket was not registered");
        }
    }
}
