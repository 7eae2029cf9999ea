//! The command line of a role: one flag for each setting, and `--config`.
//!
//! Embedded by `#[command(flatten)]` in the CLI, or used alone by a service's `main`. Invariant: clap sees text only;
//! values are judged by the loader, so that one bad flag does not hide the next mistake.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::environment::Environment;
use super::error::ConfigErrors;
use super::group::{Field, GroupSpec, RoleConfig};
use super::load::load;

const CONFIG_ID: &str = "factorial.config";

/// What the command line said; not yet judged.
#[derive(Clone, Debug)]
pub struct ConfigArgs<T> {
    pub(crate) flags: BTreeMap<&'static str, Vec<OsString>>,
    pub(crate) config: Option<OsString>,
    role: PhantomData<fn() -> T>,
}

// Not derived: that would ask the same of `T`.
impl<T> Default for ConfigArgs<T> {
    fn default() -> Self {
        Self {
            flags: BTreeMap::new(),
            config: None,
            role: PhantomData,
        }
    }
}

impl<T: RoleConfig> ConfigArgs<T> {
    /// Reads everything else that belongs to the configuration, and judges it.
    ///
    /// # Errors
    /// All mistakes in flags, variables and file at once.
    pub fn load(&self, environment: &Environment) -> Result<T, ConfigErrors> {
        load(self, environment)
    }
}

impl<T: RoleConfig> Args for ConfigArgs<T> {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new(CONFIG_ID)
                .long("config")
                .value_name("PATH")
                .value_parser(value_parser!(OsString))
                .help(
                    "Configuration file; ./factorial.yaml is read if it exists [env: FACTORIAL_CONFIG]",
                ),
        );
        let mut specs = Vec::new();
        T::specs(&mut specs);
        for spec in specs.iter().filter(|spec| !spec.file_only()) {
            for field in spec.fields {
                command = command.arg(flag::<T>(spec, field));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: RoleConfig> FromArgMatches for ConfigArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(path) = matches.get_one::<OsString>(CONFIG_ID) {
            self.config = Some(path.clone());
        }
        let mut specs = Vec::new();
        T::specs(&mut specs);
        for spec in specs.iter().filter(|spec| !spec.file_only()) {
            for field in spec.fields {
                if let Some(values) = matches.get_many::<OsString>(&id(field)) {
                    self.flags.insert(field.name, values.cloned().collect());
                }
            }
        }
        Ok(())
    }
}

fn id(field: &Field) -> String {
    format!("factorial.{}", field.name)
}

fn flag<T: RoleConfig>(spec: &GroupSpec, field: &Field) -> Arg {
    let mut notes = format!("[env: {}]", field.variable());
    let of_role = T::DEFAULTS.iter().find(|(name, _)| *name == field.name);
    if let Some(default) = of_role.map(|(_, text)| *text).or(field.default) {
        notes.push_str(&format!(" [default: {default}]"));
    }
    let arg = Arg::new(id(field))
        .long(field.name.replace('_', "-"))
        .value_name(field.kind)
        .value_parser(value_parser!(OsString))
        .help_heading(spec.title)
        .help(format!("{} {notes}", field.help()));
    if field.list {
        arg.action(ArgAction::Append)
    } else if field.switch {
        // `=` is required so that a switch does not swallow the next argument.
        arg.num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    } else {
        arg
    }
}

/// Parses the command line of a service that has nothing but settings, and loads its configuration.
///
/// # Errors
/// The exit code, after help, version or the mistakes have been printed: 0, or 64 (`EX_USAGE`).
pub fn from_command_line<T: RoleConfig>(
    command: Command,
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<T, ExitCode> {
    let usage = ExitCode::from(ConfigErrors::EXIT_CODE);
    let name = command.get_name().to_owned();
    let parsed = ConfigArgs::<T>::augment_args(command)
        .try_get_matches_from(args)
        .and_then(|matches| ConfigArgs::<T>::from_arg_matches(&matches));
    let args = parsed.map_err(|error| {
        // A closed standard output is no reason for another message.
        let _ = error.print();
        if error.use_stderr() {
            usage
        } else {
            ExitCode::SUCCESS
        }
    })?;
    args.load(environment).map_err(|errors| {
        // Logging is not configured yet.
        eprintln!("{name}: {errors}");
        usage
    })
}
