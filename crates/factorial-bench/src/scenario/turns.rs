//! What a turn costs beside its model and its tool: time, script calls, and bytes written.
//!
//! The simulated model answers at once and calls the tool every turn. It notes when it has answered and when it has the next
//! request whole: what lies between is the overhead of a turn, with its tool, its commits, and the way of both messages.

use factorial_core::{AgentName, TaskId, TaskState};
use factorial_sim::{RequestRecord, Sim, SimConfig};
use serde_json::json;

use super::Done;
use crate::aim::Aim;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::{MODEL_AGENT, TOOL};
use crate::stage::Stage;
use crate::stats::{each, millis, number, percentile};
use crate::submit::{enqueue, new_task};

/// A turn beside its model and its tool, ms.
const MOST_OVERHEAD: f64 = 0.8;
/// Of a turn.
const MOST_SCRIPTS: f64 = 3.0;
/// Bytes in the append-only file to those of the conversation.
const MOST_WRITTEN: f64 = 1.3;

/// Bytes of a short call.
const SHORT: usize = 16;

/// With calls and results of a few words: what a turn costs in time.
pub(super) async fn short(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let mut done = measure(stage, SHORT).await?;
    done.measures
        .retain(|measure| measure.name().starts_with("turn"));
    Ok(done)
}

/// With longer ones, so that a conversation has its usual size: what it costs in calls and bytes. The model's stream of
/// a call is as many events as it has tokens, so the time is mostly that of reading these.
pub(super) async fn long(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let mut done = measure(stage, stage.options.turn_bytes / 2).await?;
    done.measures
        .retain(|measure| !measure.name().starts_with("turn"));
    Ok(done)
}

/// One run after the other, each of so many turns with a tool and one that answers.
async fn measure(stage: &Stage<'_>, bytes: usize) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let (runs, turns) = (stage.options.tasks, u64::from(stage.options.turns.max(1)));
    let config = SimConfig {
        history: usize::try_from(turns + 1).unwrap_or(usize::MAX),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    let worker = stage.worker(1, Some(sim.base_url())).await?;
    let ids = stage.ids(runs);
    let query = query(turns, bytes);
    stage.progress.begin("turns", runs);

    let (mut times, mut overheads) = (Vec::new(), Vec::new());
    let (mut scripts, mut commands, mut written) = (0, 0, 0);
    let mut is_known = true;
    for (id, done) in ids.iter().zip(1..) {
        let task = new_task(id.clone(), &agent, query.clone())?;
        let before = stage.server.sample().await?;
        enqueue(&stage.store, &task).await?;
        all_ended(&stage.store, &agent, done, &worker, stage.progress).await?;
        let after = stage.server.sample().await?;
        scripts += after.scripts.saturating_sub(before.scripts);
        commands += after.commands.saturating_sub(before.commands);
        let bytes = after.written_since(&before);
        is_known &= bytes.is_some();
        written += bytes.unwrap_or(0);
        let (whole, after) = between(id, &sim.requests(), turns)?;
        times.extend(whole);
        overheads.extend(after);
        sim.reset();
    }
    let records = check(
        &stage.store,
        &agent,
        &ids,
        Expected::once(TaskState::Completed),
    )
    .await?;
    let conversations: u64 = records.iter().map(|record| record.bytes).sum();

    let all = runs * (turns + 1);
    let mut measures = vec![
        Measure::new("turn p50", "ms", percentile(&times, 0.5)),
        Measure::new("turn p99", "ms", percentile(&times, 0.99)),
        Measure::new("turn overhead p50", "ms", percentile(&overheads, 0.5))
            .aim(Aim::AtMost(MOST_OVERHEAD)),
        Measure::new("turn overhead p99", "ms", percentile(&overheads, 0.99)),
        Measure::new("redis scripts", "calls/turn", each(number(scripts), all))
            .aim(Aim::AtMost(MOST_SCRIPTS)),
        Measure::new(
            "redis commands",
            "commands/turn",
            each(number(commands), all),
        ),
        Measure::new("conversation", "B/run", each(number(conversations), runs)),
    ];
    if is_known {
        let ratio = each(number(written), conversations);
        measures.push(Measure::new(
            "written to file",
            "B/run",
            each(number(written), runs),
        ));
        let ratio = Measure::new("written / conversation", "×", ratio);
        measures.push(ratio.aim(Aim::AtMost(MOST_WRITTEN)));
    }
    measures.extend(worker.peak_memory());
    worker.stop().await?;
    sim.stop().await;
    Ok(Done {
        measures,
        checked: runs,
    })
}

/// Tells the simulated model to call the tool in so many turns, each time with so long a text.
fn query(turns: u64, bytes: usize) -> String {
    let args = json!({ TOOL: { "text": "x".repeat(bytes) } });
    format!("[[sim:turns={turns}]][[sim:args={args}]]go on")
}

/// Milliseconds of a run, by turn: from one request to the next, and of these after the model had answered.
fn between(
    id: &TaskId,
    requests: &[RequestRecord],
    turns: u64,
) -> Result<(Vec<f64>, Vec<f64>), BenchError> {
    let of_run: Vec<_> = requests
        .iter()
        .filter(|request| request.task.as_deref() == Some(id.as_str()))
        .collect();
    if of_run.len() as u64 != turns + 1 {
        let asked = of_run.len();
        let text = format!("run {id} asked the model {asked} times, not {}", turns + 1);
        return Err(BenchError::Delivery(text));
    }
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for (one, next) in of_run.iter().zip(of_run.iter().skip(1)) {
        let answered = one.answered.unwrap_or(one.arrival);
        whole.push(millis(next.arrival.saturating_duration_since(one.arrival)));
        after.push(millis(next.arrival.saturating_duration_since(answered)));
    }
    Ok((whole, after))
}
