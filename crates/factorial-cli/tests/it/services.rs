//! `factorial` by the names of the services, as an image has it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

#[test]
fn the_name_it_is_called_by_tells_which_program_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for (name, setting) in [
        ("factorial-gateway", "--gateway-port"),
        ("factorial-worker", "--batch-size"),
        ("factorial-reaper", "--webhooks-"),
        ("factorial-dashboard", "--observability-port"),
        ("factorial-sim", "--listen"),
        ("factorial", "Commands:"),
    ] {
        let program = dir.path().join(name);
        symlink(env!("CARGO_BIN_EXE_factorial"), &program).unwrap();
        let told = |flag: &str| {
            let output = Command::new(&program).arg(flag).output().unwrap();
            assert!(output.status.success(), "{name} {flag}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let version = told("--version");
        assert_eq!(
            version.trim(),
            format!("{name} {}", env!("CARGO_PKG_VERSION"))
        );
        let help = told("--help");
        assert!(help.contains(setting), "{name}: {help}");
    }
    let wrong = Command::new(dir.path().join("factorial-worker"))
        .args(["--batch-size", "many"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(64), "{told}");
    assert!(told.starts_with("factorial-worker: "), "{told}");
}

#[test]
fn a_program_of_another_name_serves() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("factorial-sim");
    symlink(env!("CARGO_BIN_EXE_factorial"), &program).unwrap();
    let mut process = Command::new(program)
        .args(["--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(line.contains("simulated model listening"), "{line}");
}
