//! Follows the events of a batch to its end.
//!
//! Ctrl-C leaves the batch alone, or cancels it for those who asked for that. Invariant: the batch does not notice that it
//! is watched.

use std::pin::pin;

use factorial_api::{Batch, BatchStatus, TaskStatus};
use futures::StreamExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::{BatchWatchArgs, WatchArgs};
use super::progress::Progress;
use super::save::save;
use super::summary::{Failures, failures, summary};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::Format;

const REASON: &str = "cancelled from the command line";

/// Watches a batch that is there.
pub(crate) async fn watch(gateway: &Gateway, args: &BatchWatchArgs) -> Result<Exit, CliError> {
    let mut interrupts = signal(SignalKind::interrupt()).map_err(CliError::Signals)?;
    follow(gateway, &args.id, &args.watch, &mut interrupts).await
}

/// Shows how a batch gets on, then its summary; the exit code says whether all members completed.
pub(super) async fn follow(
    gateway: &Gateway,
    id: &str,
    args: &WatchArgs,
    interrupts: &mut Signal,
) -> Result<Exit, CliError> {
    let batch = gateway.ask(gateway.client.batch(id)).await?;
    let mut progress = Progress::new(gateway.printer, &batch);
    let mut events = pin!(gateway.client.batch_events(id, 0));
    let mut cancelled = false;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => progress.show(&event.map_err(|source| gateway.failed(source))?),
                None => break,
            },
            received = interrupts.recv() => {
                if received.is_none() || cancelled || !args.cancel_on_interrupt {
                    progress.end();
                    return Err(CliError::BatchLeft { id: id.to_owned() });
                }
                cancelled = true;
                progress.note(&format!("cancelling {id}; Ctrl-C again leaves it alone"));
                tokio::select! {
                    done = gateway.ask(gateway.client.cancel_batch(id, Some(REASON))) => {
                        refused_if_ended(done)?;
                    }
                    _ = interrupts.recv() => {
                        progress.end();
                        return Err(CliError::BatchLeft { id: id.to_owned() });
                    }
                }
            }
        }
    }
    progress.end();
    let batch = gateway.ask(gateway.client.batch(id)).await?;
    finish(gateway, &batch, args).await
}

/// A batch that has ended meanwhile needs no cancelling.
fn refused_if_ended(done: Result<Batch, CliError>) -> Result<(), CliError> {
    match done {
        Err(error)
            if error
                .problem()
                .is_some_and(|p| p.code == factorial_api::ErrorCode::BatchFinished) =>
        {
            Ok(())
        }
        done => done.map(drop),
    }
}

async fn finish(gateway: &Gateway, batch: &Batch, args: &WatchArgs) -> Result<Exit, CliError> {
    let to_stdout = match &args.results {
        Some(path) => save(gateway, &batch.id, None, None, path).await?,
        None => false,
    };
    let first = match batch.count(TaskStatus::Failed) {
        0 => Failures::default(),
        _ => failures(gateway, &batch.id).await?,
    };
    if to_stdout {
        // What is on standard output is the results alone.
        if gateway.printer.format == Format::Table {
            let text = summary(batch, &first, gateway.printer.err);
            gateway.printer.note(text.trim_end());
        }
    } else {
        gateway.print(batch, |paint| summary(batch, &first, paint))?;
    }
    Ok(if batch.count(TaskStatus::Completed) == batch.members {
        Exit::Success
    } else if batch.status == BatchStatus::Cancelled {
        Exit::Cancelled
    } else {
        Exit::Failed
    })
}
