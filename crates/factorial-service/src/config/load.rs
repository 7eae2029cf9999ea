//! Loads the configuration of a role: flag over environment variable over `factorial.yaml` over default.
//!
//! Called once by each binary, and by tests with an environment of their own.

use std::path::PathBuf;

use super::args::ConfigArgs;
use super::environment::Environment;
use super::error::ConfigErrors;
use super::file::ConfigFile;
use super::group::RoleConfig;
use super::layers::Layers;
use super::reader::Reader;

const CONFIG_VARIABLE: &str = "FACTORIAL_CONFIG";

/// Reads and judges everything.
///
/// # Errors
/// All mistakes at once. A file that cannot be parsed counts as one and does not hide those elsewhere.
pub fn load<T: RoleConfig>(
    args: &ConfigArgs<T>,
    environment: &Environment,
) -> Result<T, ConfigErrors> {
    let mut problems = Vec::new();
    let file = match file_path(args, environment).map(|path| ConfigFile::read(&path)) {
        Some(Ok(file)) => Some(file),
        Some(Err(problem)) => {
            problems.push(problem);
            None
        }
        None => None,
    };
    let layers = Layers {
        flags: args.flags.clone(),
        environment: environment.clone(),
        file,
    };
    Reader::load(&layers, problems)
}

/// The configuration of a role when nobody says anything.
///
/// # Errors
/// None as long as the tests of this crate pass: they load the defaults of every role.
pub fn defaults<T: RoleConfig>() -> Result<T, ConfigErrors> {
    Reader::load(&Layers::default(), Vec::new())
}

/// The file to read: one that was named must exist, the usual one need not.
fn file_path<T>(args: &ConfigArgs<T>, environment: &Environment) -> Option<PathBuf> {
    if let Some(path) = args
        .config
        .as_ref()
        .or_else(|| environment.variable(CONFIG_VARIABLE))
    {
        return Some(PathBuf::from(path));
    }
    let usual = environment.default_file();
    usual.exists().then_some(usual)
}
