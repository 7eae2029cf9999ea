//! Installs packages where that needs no question: as root on Debian and its like.

use std::process::Command;

use anyhow::bail;

use crate::command::{on_path, status, succeeds};

/// Whether packages can be installed without asking.
pub(crate) fn is_usable() -> bool {
    on_path("apt-get") && is_root()
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs a package whose program has its name.
pub(crate) fn install(package: &str) -> anyhow::Result<()> {
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // The lists may be missing in a container, or old; if they cannot be had, the
    // installation says why.
    if !status(apt().args(["update", "-q"]))?.success() {
        eprintln!("apt-get update failed; trying with the package lists that are here");
    }
    // A package's service, if it has one, would only hold a port.
    let installed =
        status(apt().args(["install", "-y", "-q", "--no-install-recommends", package]))?;
    if !installed.success() {
        bail!("apt-get could not install {package} ({installed})");
    }
    if !succeeds(Command::new(package).arg("--version")) {
        bail!("{package} was installed and does not run");
    }
    Ok(())
}
