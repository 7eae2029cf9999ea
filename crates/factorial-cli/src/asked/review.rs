//! `factorial approvals review`: one question after the other, on the terminal.
//!
//! Invariant: nothing is approved with arguments that were not on the screen before.

use std::io::{self, BufRead as _, Write as _};
use std::process::Command;

use clap::Args;
use factorial_api::{ApproveRequest, AskedCall, DenyRequest, ErrorCode};
use factorial_client::ClientError;
use serde_json::{Map, Value};

use super::decide::answer_text;
use super::list::{AskedArgs, open_approvals};
use crate::config::{editor, login_name};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Tint, asked_details, indented, plural};

#[derive(Clone, Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Who decides, for the record; the name under which you have logged in without it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    pub(crate) which: AskedArgs,
}

/// What became of one question.
enum Became {
    Approved,
    Denied,
    Skipped,
    /// Somebody else was first, or it is not awaited any more.
    Gone,
    Quit,
}

/// What the person wants.
#[derive(Debug, PartialEq)]
enum Choice {
    Approve,
    Edit,
    Deny(String),
    Skip,
    Quit,
    Unclear,
}

/// Goes through what waits for a yes, oldest first.
pub(crate) async fn review(gateway: &Gateway, args: &ReviewArgs) -> Result<Exit, CliError> {
    if !gateway.printer.streams.can_ask() {
        let text = "review asks on a terminal, which standard input and standard error have to be; \
                    elsewhere there are `approvals list`, `approve` and `deny`";
        return Err(CliError::Usage(text.to_owned()));
    }
    let calls = open_approvals(gateway, &args.which).await?.data;
    if calls.is_empty() {
        gateway.printer.note("No open approvals.");
        return Ok(Exit::Success);
    }
    let by = args.by.clone().or_else(login_name);
    let (mut approved, mut denied, mut left) = (0, 0, calls.len());
    for (index, call) in calls.iter().enumerate() {
        let title = format!("\nApproval {} of {}", index + 1, calls.len());
        gateway.printer.note(&title);
        let details = asked_details(call, gateway.now(), gateway.printer.err);
        gateway.printer.note(details.trim_end());
        match decide(gateway, call, by.as_ref()).await? {
            Became::Approved => approved += 1,
            Became::Denied => denied += 1,
            Became::Gone => {}
            Became::Skipped => continue,
            Became::Quit => break,
        }
        left -= 1;
    }
    let left = plural(u64::try_from(left).unwrap_or(u64::MAX), "approval");
    let summary = format!("\n{approved} approved, {denied} denied, {left} left");
    gateway.printer.note(&summary);
    Ok(Exit::Success)
}

/// Asks until there is an answer that the gateway takes.
async fn decide(
    gateway: &Gateway,
    call: &AskedCall,
    by: Option<&String>,
) -> Result<Became, CliError> {
    let mut edited: Option<Map<String, Value>> = None;
    loop {
        let Some(line) = ask("[a]pprove, [e]dit, [d]eny, [s]kip, [q]uit: ")? else {
            return Ok(Became::Quit);
        };
        let (id, call_id) = (&call.task_id, &call.call_id);
        let (answer, became) = match choice(&line) {
            Choice::Approve => {
                let request = ApproveRequest {
                    arguments: edited.clone(),
                    by: by.cloned(),
                    owner_id: None,
                };
                let answer = gateway.client.approve(id, call_id, &request).await;
                (answer, Became::Approved)
            }
            Choice::Deny(reason) => {
                let Some(reason) = given(reason)? else {
                    continue;
                };
                let request = DenyRequest {
                    reason: Some(reason).filter(|reason| !reason.is_empty()),
                    by: by.cloned(),
                    owner_id: None,
                };
                let answer = gateway.client.deny(id, call_id, &request).await;
                (answer, Became::Denied)
            }
            Choice::Edit => {
                edited = edit(gateway, call, edited)?;
                continue;
            }
            Choice::Skip => return Ok(Became::Skipped),
            Choice::Quit => return Ok(Became::Quit),
            Choice::Unclear => continue,
        };
        match answer {
            Ok(answer) => {
                gateway.printer.note(&answer_text(&answer));
                return Ok(became);
            }
            Err(source) => {
                let gone = is_gone(&source);
                let error = gateway.failed(source);
                let refused = error.problem().is_some_and(|problem| problem.status < 500);
                if !refused {
                    return Err(error);
                }
                let label = gateway.printer.err.tint(Tint::Bad, "!");
                gateway.printer.note(&format!("{label} {error}"));
                if gone {
                    return Ok(Became::Gone);
                }
            }
        }
    }
}

/// Nobody waits for this answer any more.
fn is_gone(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::TaskNotFound
                | ErrorCode::TaskFinished
                | ErrorCode::ToolCallNotFound
                | ErrorCode::ToolCallAnswered
                | ErrorCode::ToolCallClosed
        )
    )
}

fn choice(line: &str) -> Choice {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (word.to_lowercase().as_str(), rest.trim()) {
        ("a" | "approve", "") => Choice::Approve,
        ("e" | "edit", "") => Choice::Edit,
        ("d" | "deny", reason) => Choice::Deny(reason.to_owned()),
        ("s" | "skip", "") => Choice::Skip,
        ("q" | "quit", "") => Choice::Quit,
        _ => Choice::Unclear,
    }
}

/// The reason, asked for unless it was given; nothing when the person thinks again.
fn given(reason: String) -> Result<Option<String>, CliError> {
    if !reason.is_empty() {
        return Ok(Some(reason));
    }
    let line = ask("reason (the model is told; Enter for none): ")?;
    Ok(line.map(|line| line.trim().to_owned()))
}

/// A line of the person's, without its end; nothing when there is no more.
fn ask(question: &str) -> Result<Option<String>, CliError> {
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes())
        .and_then(|()| err.flush())
        .map_err(CliError::Output)?;
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match read.map_err(CliError::Input)? {
        0 => {
            err.write_all(b"\n").map_err(CliError::Output)?;
            Ok(None)
        }
        _ => Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned())),
    }
}

/// Lets the person edit the arguments, and shows what they are now.
fn edit(
    gateway: &Gateway,
    call: &AskedCall,
    edited: Option<Map<String, Value>>,
) -> Result<Option<Map<String, Value>>, CliError> {
    let before = match &edited {
        Some(edited) => Value::Object(edited.clone()),
        None => call.arguments.clone(),
    };
    let text = match &before {
        Value::String(text) => text.clone(),
        before => format!("{before:#}\n"),
    };
    let text = edited_text(&text).map_err(CliError::Editor)?;
    let bad = gateway.printer.err.tint(Tint::Bad, "!");
    match text.map(|text| serde_json::from_str::<Value>(&text)) {
        None => gateway
            .printer
            .note(&format!("{bad} the editor failed; nothing is changed")),
        Some(Err(error)) => {
            let note = format!("{bad} not JSON, so nothing is changed: {error}");
            gateway.printer.note(&note);
        }
        Some(Ok(Value::Object(map))) if Value::Object(map.clone()) != before => {
            let shown = indented(&Value::Object(map.clone()));
            gateway
                .printer
                .note(&format!("Arguments, edited\n{}", shown.trim_end()));
            return Ok(Some(map));
        }
        Some(Ok(Value::Object(_))) => gateway.printer.note("Nothing is changed."),
        Some(Ok(_)) => {
            let note = format!("{bad} not a JSON object, so nothing is changed");
            gateway.printer.note(&note);
        }
    }
    Ok(edited)
}

/// A text after it went through the person's editor; nothing if that failed.
fn edited_text(text: &str) -> io::Result<Option<String>> {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile()?;
    file.write_all(text.as_bytes())?;
    // It may be a command with options.
    let command = format!("{} \"$1\"", editor());
    let mut shell = Command::new("sh");
    let status = shell
        .args(["-c", &command, "sh"])
        .arg(file.path())
        .status()?;
    // By its name: editors may put another file in its place.
    let text = std::fs::read_to_string(file.path())?;
    Ok(status.success().then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_letters_or_words() {
        assert_eq!(choice("a"), Choice::Approve);
        assert_eq!(choice(" Skip "), Choice::Skip);
        assert_eq!(choice("d not yet"), Choice::Deny("not yet".to_owned()));
        assert_eq!(choice("d"), Choice::Deny(String::new()));
        for unclear in ["", "y", "approve it", "quit now", "ad"] {
            assert_eq!(choice(unclear), Choice::Unclear, "{unclear}");
        }
    }
}
