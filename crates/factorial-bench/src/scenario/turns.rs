//! What a turn costs beside its model and its tool: time, script calls, and bytes written.
//!
//! The simulated model answers at once and calls the tool every turn; the time of such a call alone is measured from
//! here and taken off.

use std::time::Duration;

use factorial_core::{AgentName, TaskId, TaskState};
use factorial_sim::{RequestRecord, Sim, SimConfig};
use serde_json::{Value, json};
use tokio::time::Instant;

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

/// One run after the other, each of so many turns with a tool and one that answers.
pub(super) async fn turns(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let (runs, turns) = (stage.options.tasks, u64::from(stage.options.turns.max(1)));
    let config = SimConfig {
        history: usize::try_from(turns + 1).unwrap_or(usize::MAX),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    let worker = stage.worker(1, Some(sim.base_url())).await?;
    let ids = stage.ids(runs);
    let query = query(turns, stage.options.turn_bytes / 2);
    stage.progress.begin("turns", runs);

    let (mut times, mut scripts, mut commands, mut written) = (Vec::new(), 0, 0, 0);
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
        times.extend(between(id, &sim.requests(), turns)?);
        sim.reset();
    }
    let alone = model_alone(&sim, &query, turns, stage.options.turn_bytes / 2).await?;
    let records = check(
        &stage.store,
        &agent,
        &ids,
        Expected::once(TaskState::Completed),
    )
    .await?;
    let conversations: u64 = records.iter().map(|record| record.bytes).sum();

    let (turn, model) = (percentile(&times, 0.5), percentile(&alone, 0.5));
    let all = runs * (turns + 1);
    let mut measures = vec![
        Measure::new("turn p50", "ms", turn),
        Measure::new("turn p99", "ms", percentile(&times, 0.99)),
        Measure::new("model call alone p50", "ms", model),
        Measure::new("turn overhead p50", "ms", turn - model).aim(Aim::AtMost(MOST_OVERHEAD)),
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

/// Milliseconds from one request of a run to the next.
fn between(id: &TaskId, requests: &[RequestRecord], turns: u64) -> Result<Vec<f64>, BenchError> {
    let arrivals: Vec<_> = requests
        .iter()
        .filter(|request| request.task.as_deref() == Some(id.as_str()))
        .map(|request| request.arrival)
        .collect();
    if arrivals.len() as u64 != turns + 1 {
        let asked = arrivals.len();
        let text = format!("run {id} asked the model {asked} times, not {}", turns + 1);
        return Err(BenchError::Delivery(text));
    }
    let gaps = arrivals.iter().zip(arrivals.iter().skip(1));
    Ok(gaps
        .map(|(one, next)| millis(next.saturating_duration_since(*one)))
        .collect())
}

/// Milliseconds of calls of the model by themselves, streamed to their end, in the middle of such a run.
async fn model_alone(
    sim: &Sim,
    query: &str,
    turns: u64,
    bytes: usize,
) -> Result<Vec<f64>, BenchError> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tcp_nodelay(true)
        .timeout(Duration::from_secs(10))
        .build()?;
    let url = format!("{}/chat/completions", sim.base_url());
    let request = half_way(query, turns / 2, bytes);
    let mut times = Vec::new();
    for _ in 0..turns.max(20) {
        let started = Instant::now();
        let answer = client.post(&url).json(&request).send().await?;
        answer.error_for_status()?.bytes().await?;
        times.push(millis(started.elapsed()));
    }
    Ok(times)
}

/// What a worker asks after so many turns.
fn half_way(query: &str, turns: u64, bytes: usize) -> Value {
    let text = "x".repeat(bytes);
    let mut messages = vec![
        json!({ "role": "system", "content": "You are measured." }),
        json!({ "role": "user", "content": query }),
    ];
    for turn in 0..turns {
        let id = format!("call_{turn}");
        let arguments = json!({ "text": text }).to_string();
        let function = json!({ "name": TOOL, "arguments": arguments });
        let calls = [json!({ "id": id, "type": "function", "function": function })];
        messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls }));
        messages.push(json!({ "role": "tool", "tool_call_id": id, "content": text }));
    }
    let parameters = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
    let function = json!({ "name": TOOL, "description": "", "parameters": parameters });
    json!({
        "model": "sim-model", "stream": true, "stream_options": { "include_usage": true },
        "messages": messages, "tools": [{ "type": "function", "function": function }],
    })
}
