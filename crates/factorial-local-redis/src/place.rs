//! The directory of one server: its files, its lock, and where its socket goes.
//!
//! The lock is the kernel's, on an open file, so it ends with the process however
//! the process ends. Who holds it owns every file in the directory and every
//! server that an earlier owner left behind there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::address::Address;
use crate::error::StartError;
use crate::options::Listen;

/// The directory that a server owns for as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    // A second directory, for the socket alone, when the first has a long name.
    socket_dir: Option<TempDir>,
    temporary: Option<TempDir>,
    // Last, so that the directory is gone before somebody else may lock it.
    _lock: File,
}

impl Place {
    /// Takes `data_dir`, or a fresh temporary directory.
    ///
    /// # Errors
    /// [`StartError::InUse`] when another process holds it, [`StartError::Io`] otherwise.
    pub(crate) fn take(data_dir: Option<&Path>) -> Result<Self, StartError> {
        let (dir, temporary) = match data_dir {
            Some(dir) => {
                fs::create_dir_all(dir).map_err(io_error("create", dir))?;
                (dir.canonicalize().map_err(io_error("open", dir))?, None)
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("factorial-redis-")
                    .tempdir()
                    .map_err(io_error(
                        "create a directory in",
                        Path::new("the temporary directory"),
                    ))?;
                (temporary.path().to_path_buf(), Some(temporary))
            }
        };
        let lock = lock(&dir)?;
        Ok(Self {
            dir,
            socket_dir: None,
            temporary,
            _lock: lock,
        })
    }

    /// Whether the directory goes when this is dropped.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A directory inside, made if it is missing.
    pub(crate) fn subdir(&self, name: &str) -> Result<PathBuf, StartError> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(io_error("create", &dir))?;
        Ok(dir)
    }

    /// The address for `listen`: a socket path that is short enough, or a port.
    pub(crate) fn address(&mut self, listen: Listen) -> Result<Address, StartError> {
        match listen {
            Listen::Tcp { port: 0 } => free_port().map(Address::Tcp),
            Listen::Tcp { port } => Ok(Address::Tcp(port)),
            Listen::Unix => {
                if let Some(address) = Address::unix(self.dir.join("redis.sock")) {
                    return Ok(address);
                }
                let short = tempfile::Builder::new()
                    .prefix("fr-")
                    .tempdir()
                    .map_err(io_error(
                        "create a directory in",
                        Path::new("the temporary directory"),
                    ))?;
                let address = Address::unix(short.path().join("redis.sock"));
                let dir = short.path().to_path_buf();
                self.socket_dir = Some(short);
                address.ok_or(StartError::SocketPath { dir })
            }
        }
    }
}

/// A port that is free now. Another process may take it before the server does;
/// the caller then asks again.
pub(crate) fn free_port() -> Result<u16, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| StartError::Listen {
            address: "127.0.0.1".into(),
            source,
        })
}

/// Names the action and the path of an I/O error.
pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> StartError {
    let path = path.to_path_buf();
    move |source| StartError::Io {
        action,
        path,
        source,
    }
}

fn lock(dir: &Path) -> Result<File, StartError> {
    let path = dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.read_to_string(&mut holder);
            if read.is_err() || holder.trim().is_empty() {
                holder = "unknown".into();
            }
            return Err(StartError::InUse {
                dir: dir.to_path_buf(),
                holder: holder.trim().into(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(io_error("write", &path))?;
    Ok(file)
}
