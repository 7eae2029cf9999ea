//! Tools in Python, in an environment of their own below target/.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::command::{binaries, must, on_path, root};

/// The interpreter of an environment that has what a file of requirements names.
///
/// # Errors
/// When there is no Python, or it cannot get them.
pub(crate) fn environment(name: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    if !on_path("python3") {
        bail!("python3 is not on PATH");
    }
    let place = binaries().with_file_name(name);
    let python = place.join("venv/bin/python");
    let wanted = fs::read_to_string(root().join(requirements))
        .with_context(|| format!("cannot read {requirements}"))?;
    let installed = place.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    fs::create_dir_all(&place)?;
    let mut venv = Command::new("python3");
    must(venv.args(["-m", "venv"]).arg(place.join("venv")))
        .context("python3 has no venv (Debian: apt-get install python3-venv)")?;
    let mut pip = Command::new(&python);
    let pip = pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    must(pip.current_dir(root()).arg(requirements))?;
    fs::write(&installed, wanted)?;
    Ok(python)
}
