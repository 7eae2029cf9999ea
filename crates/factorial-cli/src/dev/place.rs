//! The directory of `factorial dev`: its lock, and what it tells other programs.
//!
//! The lock is the kernel's, on an open file, so that it ends with the process however that ends. Invariant: whoever
//! holds it owns everything in the directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::DevError;

const ADDRESSES: &str = "dev.json";

/// The directory, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    _lock: File,
}

/// Where everything is, for other programs. Base URLs without a final slash.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    /// Process id of `factorial dev`.
    pub(crate) pid: u32,
    /// The gateway.
    pub(crate) gateway: String,
    /// The dashboard, if it is served.
    pub(crate) dashboard: Option<String>,
    /// `/livez`, `/readyz`, `/metrics`.
    pub(crate) admin: String,
    /// The private Redis; one that was configured is not repeated, since its URL may hold a password.
    pub(crate) redis: Option<String>,
    /// Process id of the private Redis; none for the in-process engine.
    pub(crate) redis_pid: Option<u32>,
    /// The simulated model, if it is used.
    pub(crate) simulated_model: Option<String>,
    /// Agents that are served.
    pub(crate) agents: Vec<String>,
}

impl Place {
    /// Takes the directory, made if it is missing.
    ///
    /// # Errors
    /// [`DevError::InUse`] when another process has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, DevError> {
        fs::create_dir_all(dir).map_err(failed("create", dir))?;
        let ignore = dir.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(failed("write", &ignore))?;
        }
        let path = dir.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The id is for people only, so one that cannot be read is no error of its own.
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.trim();
                return Err(DevError::InUse {
                    dir: dir.to_owned(),
                    holder: if holder.is_empty() { "unknown" } else { holder }.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
        }
        lock.set_len(0)
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(failed("write", &path))?;
        let place = Self {
            dir: dir.to_owned(),
            _lock: lock,
        };
        // Left by a process that was killed.
        place.forget_addresses();
        Ok(place)
    }

    /// The directory, as it was named.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// An empty directory inside.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, DevError> {
        let dir = self.dir.join(name);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("empty", &dir)(error));
            }
            _ => {}
        }
        fs::create_dir_all(&dir).map_err(failed("create", &dir))?;
        Ok(dir)
    }

    /// Writes `dev.json`; a reader sees all of it or nothing.
    pub(crate) fn tell(&self, addresses: &Addresses) -> Result<(), DevError> {
        let path = self.dir.join(ADDRESSES);
        let new = self.dir.join("dev.json.new");
        let json = serde_json::to_string_pretty(addresses).map_err(io::Error::other);
        json.and_then(|json| fs::write(&new, json + "\n"))
            .and_then(|()| fs::rename(&new, &path))
            .map_err(failed("write", &path))
    }

    /// Takes `dev.json` away: the addresses do not answer any more.
    pub(crate) fn forget_addresses(&self) {
        let _ = fs::remove_file(self.dir.join(ADDRESSES));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.forget_addresses();
    }
}

/// Names the action and the path of an I/O error.
pub(crate) fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> DevError + use<> {
    let path = path.to_owned();
    move |source| DevError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("data");
        let place = Place::take(&dir).unwrap();
        assert_eq!(fs::read_to_string(dir.join(".gitignore")).unwrap(), "*\n");
        let refusal = Place::take(&dir).unwrap_err().to_string();
        assert!(
            refusal.contains(&std::process::id().to_string()),
            "{refusal}"
        );
        assert!(refusal.contains("--data-dir"), "{refusal}");
        drop(place);
        Place::take(&dir).unwrap();
    }
}
