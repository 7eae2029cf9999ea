//! The settings of `factorial dev`, and which of them somebody has chosen.
//!
//! A loaded role does not tell a default from the same value written down, but `redis_host: localhost` in a file means
//! that server, not a private one. Invariant: the answer is for flags, variables and file alike.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use factorial_service::config::{ConfigArgs, ConfigErrors, ConfigGroup, DevRole, Environment};
use secrecy::ExposeSecret as _;
use serde::de::IgnoredAny;

/// What the flags' ids begin with in `ConfigArgs`.
const ID_PREFIX: &str = "factorial.";
/// Quiet, unless somebody says otherwise: the terminal belongs to the banner.
const LEVEL: &str = "warn";

/// The flags of all roles.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    args: ConfigArgs<DevRole>,
    flags: BTreeSet<String>,
    config: Option<OsString>,
}

/// Names of the settings of the root section that somebody has given a value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// Whether somebody said where Redis is.
    pub(crate) fn redis(&self) -> bool {
        ["redis_url", "redis_host", "redis_port"]
            .iter()
            .any(|name| self.0.contains(*name))
    }

    /// Whether somebody said who may call.
    pub(crate) fn auth(&self) -> bool {
        [
            "auth",
            "auth_enabled",
            "admin_key",
            "jwt_issuer",
            "insecure_no_auth",
        ]
        .iter()
        .any(|name| self.0.contains(*name))
    }

    fn level(&self) -> bool {
        self.0.contains("log_level")
    }
}

impl Settings {
    /// The settings of all roles, and which of them were given.
    ///
    /// # Errors
    /// All mistakes at once.
    pub(crate) fn load(&self, environment: &Environment) -> Result<(DevRole, Given), ConfigErrors> {
        let given = self.given(environment);
        let quiet = environment.clone().with("FACTORIAL_LOG_LEVEL", LEVEL);
        let environment = if given.level() { environment } else { &quiet };
        Ok((self.args.load(environment)?, given))
    }

    fn given(&self, environment: &Environment) -> Given {
        let mut names = self.flags.clone();
        let mut specs = Vec::new();
        DevRole::specs(&mut specs);
        for field in specs.iter().flat_map(|spec| spec.fields) {
            if environment.secret(&field.variable()).is_some() {
                names.insert(field.name.to_owned());
            }
        }
        names.extend(self.in_file(environment));
        Given(names)
    }

    /// Keys of the file's root. One that cannot be read is the loader's to complain about.
    fn in_file(&self, environment: &Environment) -> BTreeSet<String> {
        let named = environment.secret("FACTORIAL_CONFIG");
        let named = named
            .as_ref()
            .map(|path| OsString::from(path.expose_secret()));
        let path = self
            .config
            .clone()
            .or(named)
            .unwrap_or_else(|| "factorial.yaml".into());
        let text = std::fs::read_to_string(PathBuf::from(path)).unwrap_or_default();
        serde_saphyr::from_str::<BTreeMap<String, IgnoredAny>>(&text)
            .map(|keys| keys.into_keys().collect())
            .unwrap_or_default()
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        ConfigArgs::<DevRole>::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ConfigArgs::<DevRole>::augment_args_for_update(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self {
            args: ConfigArgs::from_arg_matches(matches)?,
            flags: BTreeSet::new(),
            config: None,
        };
        settings.note(matches);
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.args.update_from_arg_matches(matches)?;
        self.note(matches);
        Ok(())
    }
}

impl Settings {
    fn note(&mut self, matches: &ArgMatches) {
        for name in matches
            .ids()
            .filter_map(|id| id.as_str().strip_prefix(ID_PREFIX))
        {
            self.flags.insert(name.to_owned());
        }
        let config = format!("{ID_PREFIX}config");
        if let Ok(Some(path)) = matches.try_get_one::<OsString>(&config) {
            self.config = Some(path.clone());
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn load(args: &[&str], environment: &Environment) -> (DevRole, Given) {
        let command = Settings::augment_args(Command::new("dev").no_binary_name(true));
        let matches = command.try_get_matches_from(args).unwrap();
        let settings = Settings::from_arg_matches(&matches).unwrap();
        settings.load(environment).unwrap()
    }

    fn bare() -> Environment {
        Environment::bare("/nonexistent")
    }

    #[test]
    fn nothing_given_is_quiet_and_without_redis() {
        let (role, given) = load(&[], &bare());
        assert!(!given.redis());
        assert_eq!(role.log.level.as_str(), "warn");
    }

    #[test]
    fn a_default_written_down_counts() {
        assert!(load(&["--redis-host", "localhost"], &bare()).1.redis());
        assert!(load(&[], &bare().with("REDIS_PORT", "6379")).1.redis());
        assert!(!load(&["--redis-db", "3"], &bare()).1.redis());
        let (role, _) = load(&["--log-level", "info"], &bare());
        assert_eq!(role.log.level.as_str(), "info");
    }

    #[test]
    fn the_file_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f.yaml");
        std::fs::write(&path, "redis_host: localhost\nlog_level: info\n").unwrap();
        let (role, given) = load(&["--config", path.to_str().unwrap()], &bare());
        assert!(given.redis());
        assert_eq!(role.log.level.as_str(), "info");
        let variable = bare().with("FACTORIAL_CONFIG", path.as_os_str());
        assert!(load(&[], &variable).1.redis());
    }
}
