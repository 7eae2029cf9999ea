//! The listening socket of the engine, Unix or TCP, as one type.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};

use crate::address::Address;

/// One client's socket.
pub(crate) trait Stream: Read + Write + Source + Send {}
impl<T: Read + Write + Source + Send> Stream for T {}

/// A socket that a client has just opened.
pub(crate) struct Accepted {
    pub(crate) stream: Box<dyn Stream>,
    /// The peer as `CLIENT LIST` spells it.
    pub(crate) peer: String,
    pub(crate) unix: bool,
}

/// A bound, non-blocking listening socket.
pub(crate) enum Listener {
    Unix(UnixListener, Address),
    Tcp(TcpListener, Address),
}

impl Listener {
    /// Binds `address`. The caller owns the directory of a Unix socket, so a socket
    /// file that is still there belongs to nobody and is removed.
    pub(crate) fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
                let listener = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
                Ok(Self::Unix(listener, address.clone()))
            }
            Address::Tcp(port) => {
                let local = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
                Ok(Self::Tcp(TcpListener::bind(local)?, address.clone()))
            }
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
            Self::Tcp(listener, _) => registry.register(listener, token, Interest::READABLE),
        }
    }

    /// The next waiting client; `WouldBlock` when there is none.
    pub(crate) fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Unix(listener, address) => {
                let (stream, _) = listener.accept()?;
                Ok(Accepted {
                    stream: Box::new(stream),
                    peer: format!("{}:0", address.marker()),
                    unix: true,
                })
            }
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept()?;
                stream.set_nodelay(true)?;
                Ok(Accepted {
                    stream: Box::new(stream),
                    peer: peer.to_string(),
                    unix: false,
                })
            }
        }
    }

    /// The listening address as `CLIENT LIST` spells it.
    pub(crate) fn local(&self) -> String {
        match self {
            Self::Unix(_, address) => format!("{}:0", address.marker()),
            Self::Tcp(_, address) => format!("127.0.0.1:{}", address.marker()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, address) = self
            && let Some(path) = address.socket()
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, "socket file was not there");
        }
    }
}
