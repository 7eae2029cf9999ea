//! Watches one task from its submission to its end.
//!
//! The first Ctrl-C cancels the task and goes on watching; the second leaves. Invariant: what is on standard output is
//! the answer, as it is stored.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use factorial_api::{ErrorCode, Event, Task};
use futures::StreamExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::approvals::Approvals;
use super::args::RunArgs;
use super::ending::Ending;
use super::screen::Screen;
use super::submission::submission;
use super::transcript::{Cue, Transcript};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{Format, Tint};

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
    let asks = gateway.printer.streams.can_ask() && !args.no_prompt;
    let watch = Watch {
        gateway,
        approvals: Approvals::new(gateway, &task, asks),
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
    approvals: Approvals<'a>,
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
                        self.take(&event).map_err(CliError::Output)?;
                    }
                    None => break,
                },
                happening = self.approvals.next() => {
                    let taken = self.approvals.take(happening, &mut self.screen);
                    taken.map_err(CliError::Output)?;
                }
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
        let ending = Ending {
            gateway,
            result: &result,
            transcript: &self.transcript,
            streamed: self.stream,
            took: self.began.elapsed(),
        };
        ending.show(&mut self.screen)
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        let (approvals, screen) = (&mut self.approvals, &mut self.screen);
        for cue in self.transcript.take(event) {
            match cue {
                Cue::Text(text) => screen.text(&text)?,
                Cue::NextTurn => screen.next_turn()?,
                Cue::Restart(why) => screen.restart(&why)?,
                Cue::Note(mark, text) => screen.tell(mark, &text)?,
                Cue::Asked { call } => approvals.asked(&call),
                Cue::Decided { call } => approvals.decided(&call, screen)?,
                Cue::AllDecided => approvals.all_decided(screen)?,
                Cue::ChildEnded { task } => approvals.child_ended(&task, screen)?,
            }
        }
        let children = self.transcript.children.are_open();
        approvals.has_children(children, screen)
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
}

/// Waits for the second signal.
async fn twice(interrupts: &mut Signal) {
    interrupts.recv().await;
    interrupts.recv().await;
}
