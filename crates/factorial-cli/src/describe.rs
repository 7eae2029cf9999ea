//! What the commands and the services say of themselves, for shells, `man` and generators of clients.

use std::{io, path::Path};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::{Cli, DescribedService};

/// A completion script.
pub(crate) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "factorial", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes `factorial.1`, `factorial-tasks.1`, `factorial-tasks-list.1` and so on.
///
/// # Errors
/// When the directory or a file cannot be written.
pub(crate) fn man_pages(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command(), directory)
}

/// An OpenAPI document, as its service serves it.
pub(crate) fn openapi(service: DescribedService) -> String {
    let document = match service {
        DescribedService::Gateway => factorial_gateway::openapi_document(),
        DescribedService::Dashboard => factorial_dashboard::openapi_document(),
    };
    format!("{document:#}\n")
}
