//! Runs other programs in the workspace and hands their exit codes on.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs this task, so that both use one toolchain. It takes the
/// target directory from the environment and the workspace, as any cargo does.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo puts what it builds.
pub(crate) fn binaries() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("debug")
}

/// Whether `cargo <name>` exists.
pub(crate) fn has_cargo_tool(name: &str) -> bool {
    succeeds(cargo().args([name, "--version"]))
}

/// Whether the program is on PATH.
pub(crate) fn on_path(program: &str) -> bool {
    which(program).is_some()
}

/// Where the program is on PATH.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// Runs quietly; whether it ended well.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Prints the command and runs it.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    // The program alone: its directory says nothing to the reader.
    let name = Path::new(&program).file_name().unwrap_or_default();
    eprintln!("$ {} {}", name.to_string_lossy(), arguments.join(" "));
    command
        .status()
        .with_context(|| format!("cannot run {program}"))
}

/// Prints the command and runs it.
///
/// # Errors
/// When it cannot be run, or says that it failed.
pub(crate) fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("that ended with {status}");
    }
    Ok(())
}

/// Runs the commands in order, up to the first that fails; its exit code.
pub(crate) fn all(commands: impl IntoIterator<Item = Command>) -> anyhow::Result<ExitCode> {
    for mut command in commands {
        let status = status(&mut command)?;
        if !status.success() {
            return Ok(exit_code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code of a program; 128 + n after signal n, as shells have it.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
