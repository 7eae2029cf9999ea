//! Watches one task from its submission to its end.
//!
//! The first Ctrl-C cancels the task and goes on watching; the second leaves. Invariant: what is on standard output is
//! the answer, as it is stored.

use std::pin::pin;
use std::time::{Duration, Instant};

use factorial_api::{ErrorCode, Task, TaskResult, TaskStatus};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::RunArgs;
use super::screen::Screen;
use super::submission::submission;
use super::transcript::Transcript;
use crate::commands::show_result;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, Tint, duration, failure_text, result_text, status_tint, usage_text};

const REASON: &str = "cancelled from the command line";

/// Submits a task, and watches it unless it is to be left alone.
pub(crate) async fn run(gateway: &Gateway, args: &RunArgs) -> Result<Exit, CliError> {
    let for_people = gateway.printer.format == Format::Table;
    let wanted = args.stream || gateway.printer.streams.stdout_is_terminal;
    let stream = wanted && for_people && !args.no_stream && !args.detach;
    let request = submission(args, stream)?;
    // From here on Ctrl-C does not end the process, so that no task is left behind unseen.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(CliError::Signals)?;
    let submitted = gateway
        .client
        .submit(&request, args.idempotency_key.as_deref());
    let task = tokio::select! {
        submitted = gateway.ask_about(submitted, &args.agent) => submitted?.task,
        () = twice(&mut interrupts) => return Ok(Exit::Interrupted),
    };
    if args.detach {
        gateway.print(&task, |_| format!("{}\n", task.id))?;
        if for_people {
            gateway
                .printer
                .note(&format!("factorial tasks result {} --wait 60", task.id));
        }
        return Ok(Exit::Success);
    }
    let watch = Watch {
        gateway,
        task,
        stream,
        screen: Screen::new(gateway.printer, stream),
        transcript: Transcript::default(),
        interrupted: false,
        began: Instant::now(),
    };
    watch.until_the_end(&mut interrupts).await
}

struct Watch<'a> {
    gateway: &'a Gateway,
    task: Task,
    stream: bool,
    screen: Screen,
    transcript: Transcript,
    interrupted: bool,
    began: Instant,
}

impl Watch<'_> {
    async fn until_the_end(mut self, interrupts: &mut Signal) -> Result<Exit, CliError> {
        let gateway = self.gateway;
        let id = self.task.id.clone();
        let head = format!("task {id} {}", self.task.status.as_str());
        self.screen
            .progress(Tint::Plain, "·", &head)
            .map_err(CliError::Output)?;
        let mut events = pin!(gateway.client.events(&id, 0));
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => {
                        let event = event.map_err(|source| gateway.failed(source))?;
                        for cue in self.transcript.take(&event) {
                            self.screen.show(&cue).map_err(CliError::Output)?;
                        }
                    }
                    None => break,
                },
                received = interrupts.recv() => {
                    if received.is_none() || self.interrupted {
                        return self.leave();
                    }
                    self.interrupted = true;
                    self.cancel(interrupts).await?;
                }
            }
        }
        let result = gateway
            .ask(gateway.client.task_result(&id, Duration::ZERO))
            .await?;
        self.finish(&result)
    }

    /// Asks for the end of the task, and keeps an ear on the second Ctrl-C.
    async fn cancel(&mut self, interrupts: &mut Signal) -> Result<(), CliError> {
        let note = format!("cancelling {}; Ctrl-C again leaves it alone", self.task.id);
        self.screen
            .progress(Tint::Bad, "!", &note)
            .map_err(CliError::Output)?;
        tokio::select! {
            answer = self.gateway.client.cancel(&self.task.id, Some(REASON)) => match answer {
                Ok(_) => Ok(()),
                // It ended first; the events tell how.
                Err(source) if source.code() == Some(ErrorCode::TaskFinished) => Ok(()),
                Err(source) => Err(self.gateway.failed(source)),
            },
            _ = interrupts.recv() => Err(CliError::Interrupted { id: self.task.id.clone() }),
        }
    }

    fn leave(&mut self) -> Result<Exit, CliError> {
        self.screen.end_line().map_err(CliError::Output)?;
        Err(CliError::Interrupted {
            id: self.task.id.clone(),
        })
    }

    fn finish(mut self, result: &TaskResult) -> Result<Exit, CliError> {
        if self.gateway.printer.format == Format::Json {
            return show_result(self.gateway, result);
        }
        self.screen.end_line().map_err(CliError::Output)?;
        if !(self.stream && said(&self.transcript, result)) {
            if !self.transcript.text().is_empty() {
                self.note(Tint::Plain, "·", "the whole answer:")?;
            }
            self.gateway
                .printer
                .write(&result_text(result))
                .map_err(CliError::Output)?;
        }
        let line = self.summary(result);
        let mark = match result.status {
            TaskStatus::Completed => "✓",
            _ => "✗",
        };
        self.note(status_tint(result.status), mark, &line)?;
        Ok(Exit::of(result.status))
    }

    fn note(&mut self, tint: Tint, mark: &str, text: &str) -> Result<(), CliError> {
        self.screen
            .progress(tint, mark, text)
            .map_err(CliError::Output)
    }

    /// How it ended, how long it took and what it used.
    fn summary(&self, result: &TaskResult) -> String {
        let mut parts = vec![format!(
            "{} in {}",
            result.status.as_str(),
            duration(self.began.elapsed())
        )];
        if let (Some(failure), TaskStatus::Failed) = (&result.failure, result.status) {
            parts = vec![format!("failed: {}", failure_text(failure))];
        }
        parts.push(plural(self.transcript.turns, "turn"));
        if self.transcript.tool_calls > 0 {
            parts.push(plural(self.transcript.tool_calls, "tool call"));
        }
        parts.push(usage_text(&result.usage));
        parts.join(" · ")
    }
}

/// Whether the text that was streamed is the output.
fn said(transcript: &Transcript, result: &TaskResult) -> bool {
    let text = transcript.text().trim();
    match &result.output {
        Some(Value::String(output)) => output.trim() == text,
        Some(output) => serde_json::from_str::<Value>(text).is_ok_and(|said| said == *output),
        None => true,
    }
}

fn plural(n: u32, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Waits for the second signal.
async fn twice(interrupts: &mut Signal) {
    interrupts.recv().await;
    interrupts.recv().await;
}
