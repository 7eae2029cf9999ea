//! A `factorial dev` in a directory of its own, and commands that talk to it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// Polls until there is something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        thread::sleep(POLL);
    }
}

/// The binary, with nothing of the caller's settings.
pub(crate) fn factorial(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_factorial"));
    command.current_dir(dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// All that comes from a stream, if there is one.
fn drained(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stream) = stream {
            stream.read_to_string(&mut text).unwrap();
        }
        text
    })
}

fn read_until(stream: &mut impl Read, text: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&read).contains(text) {
        let so_far = String::from_utf8_lossy(&read);
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{so_far}");
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

/// A process that is ended at the latest when this is dropped.
pub(crate) struct Process(Option<Child>);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(self.child()), signal).unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child().try_wait().unwrap()
    }

    /// Reads standard error up to and with `text`.
    pub(crate) fn read_err_until(&mut self, text: &str) -> String {
        read_until(self.child().stderr.as_mut().unwrap(), text)
    }

    /// Reads standard output up to and with `text`.
    pub(crate) fn read_out_until(&mut self, text: &str) -> String {
        read_until(self.child().stdout.as_mut().unwrap(), text)
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Said {
        // Read meanwhile: a process that says more than a pipe holds would never end.
        let out = drained(self.child().stdout.take());
        let err = drained(self.child().stderr.take());
        let status = eventually("the end of the process", || self.has_ended());
        Said {
            code: status.code().unwrap_or(-1),
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A running `factorial dev`.
pub(crate) struct Dev {
    pub(crate) process: Process,
    pub(crate) addresses: Value,
    dir: PathBuf,
}

impl Dev {
    /// The command with ports that are free and a model that is simulated.
    pub(crate) fn command(dir: &Path, redis: &str) -> Command {
        let mut command = factorial(dir);
        command.args(["dev", "--redis", redis, "--model", "simulated"]);
        command.args([
            "--gateway-port",
            "0",
            "--admin-port",
            "0",
            "--observability-port",
            "0",
        ]);
        command
    }

    /// Starts it, and waits until it says where it is.
    pub(crate) fn start(dir: &Path, redis: &str) -> Self {
        Self::start_with(dir, &mut Self::command(dir, redis))
    }

    /// The same with a command of one's own.
    pub(crate) fn start_with(dir: &Path, command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let path = dir.join(".factorial/dev.json");
        let text = eventually("dev.json", || {
            assert_eq!(process.has_ended(), None, "dev has ended");
            fs::read_to_string(&path).ok()
        });
        Self {
            process,
            addresses: serde_json::from_str(&text).unwrap(),
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn gateway(&self) -> &str {
        self.addresses["gateway"].as_str().unwrap()
    }

    /// A command that talks to it.
    pub(crate) fn client(&self, args: &[&str]) -> Command {
        let mut command = factorial(&self.dir);
        command.env("FACTORIAL_URL", self.gateway()).args(args);
        command
    }

    /// Runs such a command.
    pub(crate) fn ask(&self, args: &[&str]) -> Said {
        Process::start(&mut self.client(args)).end()
    }

    /// Submits a task and gives its id.
    pub(crate) fn submit(&self, query: &str) -> String {
        let said = self.ask(&["run", "assistant", query, "--detach"]);
        assert_eq!(said.code, 0, "{said:?}");
        said.out.trim().to_owned()
    }

    /// Waits until a task is in this state.
    pub(crate) fn await_status(&self, id: &str, status: &str) {
        eventually(status, || {
            let task = self.ask(&["tasks", "get", id, "-o", "json"]).json();
            (task["status"] == status).then_some(())
        });
    }

    /// Asks until the answer has this in it.
    pub(crate) fn await_told(&self, args: &[&str], text: &str) {
        eventually(text, || self.ask(args).out.contains(text).then_some(()));
    }

    /// Stops it as Ctrl-C does.
    pub(crate) fn stop(mut self) -> Said {
        self.process.signal(Signal::INT);
        self.process.end()
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}
