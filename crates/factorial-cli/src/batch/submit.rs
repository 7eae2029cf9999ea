//! From a file of lines to a batch.

use std::path::Path;

use factorial_api::{BatchSettings, Limits};
use factorial_client::{ClientError, SubmittedBatch};
use tokio::signal::unix::{SignalKind, signal};
use ulid::Ulid;

use super::args::BatchRunArgs;
use super::watch::follow;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::Format;

/// Submits a batch, and watches it unless it is to be left alone.
pub(crate) async fn run(gateway: &Gateway, args: &BatchRunArgs) -> Result<Exit, CliError> {
    let key = args
        .idempotency_key
        .clone()
        .unwrap_or_else(|| Ulid::generate().to_string());
    let mut interrupts = signal(SignalKind::interrupt()).map_err(CliError::Signals)?;
    let submitted = tokio::select! {
        submitted = submit(gateway, args, &key) => submitted,
        _ = interrupts.recv() => Err(CliError::Unsent),
    };
    let submitted = submitted.inspect_err(|error| {
        if args.idempotency_key.is_none() && error.goes_on_with_key() {
            let hint = format!("the same command with --idempotency-key {key} goes on");
            gateway.printer.note(&hint);
        }
    })?;
    let batch = submitted.batch;
    if args.no_wait {
        return detach(gateway, &batch);
    }
    let accepted = if submitted.replayed {
        "was submitted before"
    } else {
        "accepted"
    };
    let members = match batch.members {
        1 => "1 member".to_owned(),
        n => format!("{n} members"),
    };
    let note = format!("batch {} {accepted}: {members}", batch.id);
    gateway.printer.note(&note);
    follow(gateway, &batch.id, &args.watch, &mut interrupts).await
}

fn detach(gateway: &Gateway, batch: &factorial_api::Batch) -> Result<Exit, CliError> {
    gateway.print(batch, |_| format!("{}\n", batch.id))?;
    if gateway.printer.format == Format::Table {
        let hint = format!("factorial batch watch {}", batch.id);
        gateway.printer.note(&hint);
    }
    Ok(Exit::Success)
}

async fn submit(
    gateway: &Gateway,
    args: &BatchRunArgs,
    key: &str,
) -> Result<SubmittedBatch, CliError> {
    let settings = settings(args);
    let client = &gateway.client;
    let submitted = if args.file == Path::new("-") {
        let lines = tokio::io::stdin();
        client
            .submit_batch_reader(&settings, lines, Some(key))
            .await
    } else {
        client
            .submit_batch_file(&settings, &args.file, Some(key))
            .await
    };
    submitted.map_err(|source| match source {
        ClientError::Read(source) => CliError::File {
            path: args.file.display().to_string(),
            source,
        },
        source => gateway.failed_about(source, args.agent.as_deref()),
    })
}

fn settings(args: &BatchRunArgs) -> BatchSettings {
    let limits = Limits {
        max_turns: args.max_turns,
        max_total_tokens: args.max_total_tokens,
        deadline_seconds: args.deadline,
        ..Limits::default()
    };
    BatchSettings {
        owner_id: args.owner.clone(),
        agent: args.agent.clone(),
        priority: args.priority,
        limits: (limits != Limits::default()).then_some(limits),
        stream: false,
        webhook: None,
        metadata: args.metadata.iter().cloned().collect(),
    }
}
