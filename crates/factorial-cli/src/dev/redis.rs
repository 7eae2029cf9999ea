//! Which Redis `factorial dev` uses, and a handle to the private one.

use std::path::{Path, PathBuf};

use factorial_core::{Store, StoreOptions, TlsOptions};
use factorial_local_redis::{ControlError, Engine, Kind, Listen, LocalRedis, Options};
use factorial_service::config::DevRole;
use factorial_service::store_options;

use super::args::RedisChoice;
use super::error::DevError;
use super::given::Given;

/// Where Redis is.
pub(crate) enum Redis {
    /// The one that was configured.
    Configured(StoreOptions),
    /// Ours.
    Private(StoreOptions, Box<LocalRedis>),
}

impl Redis {
    /// Takes the configured one, or starts a private one with its data in `dir`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn find(
        role: &DevRole,
        choice: RedisChoice,
        given: &Given,
        dir: &Path,
    ) -> Result<Self, DevError> {
        let options = store_options(&role.redis, &role.metrics)?;
        let engine = match choice {
            RedisChoice::Auto if given.redis() => return Ok(Self::Configured(options)),
            RedisChoice::Auto => Engine::Auto,
            RedisChoice::Server => Engine::Server,
            RedisChoice::Embedded => Engine::Embedded,
        };
        let start = Options {
            engine,
            data_dir: Some(dir.to_owned()),
            listen: Listen::Unix,
            ..Options::default()
        };
        let local = blocking(move || LocalRedis::start(start)).await??;
        let options = StoreOptions {
            url: local.url(),
            tls: TlsOptions::default(),
            ..options
        };
        Ok(Self::Private(options, Box::new(local)))
    }

    /// How to open the namespace.
    pub(crate) fn options(&self) -> &StoreOptions {
        match self {
            Self::Configured(options) | Self::Private(options, _) => options,
        }
    }

    /// Opens the namespace.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) async fn connect(&self) -> Result<Store, DevError> {
        let connected = Store::connect(self.options()).await;
        connected.map_err(|error| match self {
            Self::Configured(_) => DevError::Configured(error),
            Self::Private(..) => DevError::Connect(error),
        })
    }

    /// The URL of a private one.
    pub(crate) fn private_url(&self) -> Option<String> {
        match self {
            Self::Configured(_) => None,
            Self::Private(_, local) => Some(local.url()),
        }
    }

    /// The process id of a private server.
    pub(crate) fn private_pid(&self) -> Option<u32> {
        match self {
            Self::Configured(_) => None,
            Self::Private(_, local) => local.pid(),
        }
    }

    /// What it is and what it keeps. `dir`: its directory as people named it.
    pub(crate) fn describe(&self, role: &DevRole, dir: &Path) -> String {
        match self {
            Self::Configured(_) if role.redis.url.is_some() => {
                "the configured one (redis_url)".to_owned()
            }
            Self::Configured(_) => {
                format!("{}:{}", role.redis.host, role.redis.port)
            }
            Self::Private(_, local) => match local.kind() {
                Kind::Server { program } => format!(
                    "private {}; tasks are kept in {}",
                    name_of(&program),
                    dir.display()
                ),
                Kind::Embedded => format!(
                    "in-process engine, for trying out only: tasks are in memory, and saved to {} \
                     at a clean stop. Install redis-server or valkey-server for more.",
                    dir.display()
                ),
            },
        }
    }

    /// Whether it has gone; unknown of a configured one.
    pub(crate) fn has_ended(&mut self) -> Option<PathBuf> {
        match self {
            Self::Configured(_) => None,
            Self::Private(_, local) => (!local.is_running()).then(|| local.data_dir().to_owned()),
        }
    }

    /// Stops a private one, with everything saved. Says whether there was one.
    pub(crate) async fn stop(self) -> Result<bool, ControlError> {
        let Self::Private(_, mut local) = self else {
            return Ok(false);
        };
        match blocking(move || local.stop()).await {
            Ok(stopped) => stopped.map(|()| true),
            Err(error) => Err(ControlError::Engine(error.to_string())),
        }
    }
}

/// Runs a blocking call beside the runtime.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DevError> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|error| DevError::Ended {
            role: "Redis",
            reason: error.to_string(),
        })
}

fn name_of(program: &Path) -> String {
    let name = program.file_name().unwrap_or(program.as_os_str());
    name.to_string_lossy().into_owned()
}
