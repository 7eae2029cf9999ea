//! What asks on a terminal: a real one, as far as the process can tell.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::support::{Dev, Process, directory, eventually};

const AGENTS: [(&str, &str); 2] = [
    (
        "writer",
        "tools:\n  - { kind: function, name: calculator, approval: always }\n",
    ),
    (
        "editor",
        "tools:\n  - { kind: agent, agent: writer, name: delegate, description: x }\n",
    ),
];
const QUERY: &str = r#"calculator [[sim:args={"calculator":{"expression":"1+1"}}]]"#;

/// A process on a terminal of its own, for input and both outputs.
struct Terminal {
    process: Process,
    keys: File,
    screen: Arc<Mutex<String>>,
    read: usize,
}

impl Terminal {
    fn start(command: &mut Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .unwrap()
        };
        command.env("NO_COLOR", "1").env("USER", "ana");
        command.stdin(open()).stdout(open()).stderr(open());
        let process = Process::start(command);
        let keys = File::from(controller);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut output, seen) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut buffer = [0; 1024];
            // It fails when nobody has the other side any more.
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..n]);
                *seen.lock().unwrap() = String::from_utf8_lossy(&bytes).replace('\r', "");
            }
        });
        Self {
            process,
            keys,
            screen,
            read: 0,
        }
    }

    /// Waits until `text` is on the screen, after what was waited for before.
    fn until(&mut self, text: &str) {
        let end = eventually(text, || {
            let screen = self.screen.lock().unwrap();
            let found = screen[self.read..].find(text);
            found.map(|at| self.read + at + text.len())
        });
        self.read = end;
    }

    fn enter(&mut self, line: &str) {
        writeln!(self.keys, "{line}").unwrap();
    }

    /// Waits for the end; the exit code, and all that was on the screen.
    fn end(mut self) -> (Option<i32>, String) {
        let status = eventually("the end of the process", || self.process.has_ended());
        let screen = self.screen.lock().unwrap().clone();
        (status.code(), screen)
    }
}

fn dev(dir: &Path) -> Dev {
    fs::create_dir(dir.join("agents")).unwrap();
    for (name, rest) in AGENTS {
        let head = "instructions: x\nmodel: { provider: openai, name: gpt-4.1-mini }\n";
        let text = format!("name: {name}\n{head}{rest}");
        fs::write(dir.join(format!("agents/{name}.yaml")), text).unwrap();
    }
    Dev::start(dir, "server")
}

#[test]
fn a_run_asks_and_goes_on_by_itself_when_somebody_else_decides() {
    let dir = directory();
    let dev = dev(dir.path());

    let mut run = Terminal::start(&mut dev.client(&["run", "writer", QUERY]));
    run.until("? calculator needs a yes\n");
    run.until("\"expression\": \"1+1\"");
    run.until("[l]ater: ");
    run.enter("perhaps");
    run.until("[l]ater: ");
    run.enter("y");
    let (code, screen) = run.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("✓ calculator approved by ana"), "{screen}");

    let mut run = Terminal::start(&mut dev.client(&["run", "writer", QUERY]));
    run.until("[l]ater: ");
    run.enter("n");
    run.until("reason (the model is told; Enter for none): ");
    run.enter("Not today.");
    let (code, screen) = run.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("calculator denied by ana"), "{screen}");
    assert!(screen.contains("not approved: Not today."), "{screen}");

    let mut run = Terminal::start(&mut dev.client(&["run", "writer", QUERY]));
    run.until("[l]ater: ");
    let id = only_approval(&dev);
    let said = dev.ask(&["approvals", "approve", &id, "--by", "bob"]);
    assert_eq!(said.code, 0, "{said:?}");
    let (code, screen) = run.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("✓ calculator approved by bob"), "{screen}");

    let mut run = Terminal::start(&mut dev.client(&["run", "writer", QUERY]));
    run.until("[l]ater: ");
    run.process.signal(Signal::INT);
    let (code, screen) = run.end();
    assert_eq!(code, Some(3), "{screen}");

    let mut run = Terminal::start(&mut dev.client(&["run", "writer", QUERY, "--no-prompt"]));
    run.until("? calculator needs a yes: factorial approvals approve ");
    let id = only_approval(&dev);
    assert_eq!(dev.ask(&["approvals", "deny", &id]).code, 0);
    let (code, screen) = run.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("[y]es"), "{screen}");
}

#[test]
fn a_run_asks_for_its_descendants() {
    let dir = directory();
    let dev = dev(dir.path());
    let query = r#"delegate [[sim:args={"delegate":{"query":"calculator"}}]]"#;
    let mut run = Terminal::start(&mut dev.client(&["run", "editor", query]));
    run.until("? calculator of writer 0-");
    run.until("[l]ater: ");
    run.enter("y");
    let (code, screen) = run.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains(" approved\n"), "{screen}");
}

#[test]
fn a_review_goes_through_all() {
    let dir = directory();
    let dev = dev(dir.path());
    let ids: Vec<String> = (0..4)
        .map(|_| {
            let said = dev.ask(&["run", "writer", QUERY, "--detach"]);
            said.out.trim().to_owned()
        })
        .collect();
    for id in &ids {
        dev.await_status(id, "pending_tool_results");
    }
    let mut command = dev.client(&["approvals", "review"]);
    command.env("EDITOR", "sed -i s/1+1/2+3/");
    let mut review = Terminal::start(&mut command);
    review.until("Approval 1 of 4");
    review.until("[q]uit: ");
    review.enter("e");
    review.until("\"2+3\"");
    review.until("[q]uit: ");
    review.enter("a");
    review.until("Approval 2 of 4");
    review.until("[q]uit: ");
    review.enter("d Too risky");
    review.until("Approval 3 of 4");
    review.until("[q]uit: ");
    let third = dev.ask(&["approvals", "deny", &ids[2], "--by", "bob"]);
    assert_eq!(third.code, 0, "{third:?}");
    review.enter("a");
    review.until("another answer came first");
    review.until("Approval 4 of 4");
    review.until("[q]uit: ");
    review.enter("s");
    review.until("1 approved, 1 denied, 1 approval left");
    let (code, screen) = review.end();
    assert_eq!(code, Some(0), "{screen}");

    let outcomes: Vec<String> = ids
        .iter()
        .map(|id| {
            let calls = dev.ask(&["tasks", "tool-calls", id, "-o", "json"]).json();
            calls["data"][0]["outcome"]
                .as_str()
                .unwrap_or("open")
                .to_owned()
        })
        .collect();
    assert_eq!(outcomes, ["approved", "denied", "denied", "open"]);
    let edited = dev.ask(&["tasks", "result", &ids[0], "--wait", "30"]);
    assert!(edited.out.contains('5'), "{edited:?}");
}

/// The task of the only approval that is open.
fn only_approval(dev: &Dev) -> String {
    let page = dev.ask(&["approvals", "-o", "json"]).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
    page["data"][0]["task_id"].as_str().unwrap().to_owned()
}
