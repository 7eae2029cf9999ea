//! Where a server listens, as a path or a port, and as the URL for clients.

use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket that every supported system takes: `sun_path`
/// has 104 bytes on macOS and 108 on Linux, one of them for the final NUL.
pub(crate) const MAX_SOCKET_PATH: usize = 103;

/// Where one server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An absolute socket path of at most [`MAX_SOCKET_PATH`] bytes.
    Unix(PathBuf),
    /// A port of 127.0.0.1.
    Tcp(u16),
}

impl Address {
    /// The path, when it is short enough for a socket.
    pub(crate) fn unix(path: PathBuf) -> Option<Self> {
        (path.as_os_str().len() <= MAX_SOCKET_PATH).then_some(Self::Unix(path))
    }

    /// What the process title or the arguments of a server at this address show.
    pub(crate) fn marker(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp(port) => port.to_string(),
        }
    }

    /// The socket path, if there is one.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp(_) => None,
        }
    }
}

/// The URL as the `redis` crate takes it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => {
                f.write_str("redis+unix://")?;
                for &byte in path.as_os_str().as_bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                            f.write_char(char::from(byte))?
                        }
                        b'/' | b'-' | b'_' | b'.' | b'~' => f.write_char(char::from(byte))?,
                        _ => write!(f, "%{byte:02X}")?,
                    }
                }
                Ok(())
            }
            Self::Tcp(port) => write!(f, "redis://127.0.0.1:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_escapes_what_a_path_may_hold() {
        let address = Address::Unix(PathBuf::from("/tmp/a b/r?é.sock"));
        assert_eq!(
            address.to_string(),
            "redis+unix:///tmp/a%20b/r%3F%C3%A9.sock"
        );
        assert_eq!(Address::Tcp(6379).to_string(), "redis://127.0.0.1:6379");
    }

    #[test]
    fn a_long_path_is_no_socket() {
        assert_eq!(Address::unix(PathBuf::from("/".repeat(104))), None);
        assert!(Address::unix(PathBuf::from("/".repeat(103))).is_some());
    }
}
