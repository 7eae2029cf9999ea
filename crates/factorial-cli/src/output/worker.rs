//! Workers as text.

use factorial_api::{Time, Worker};

use super::age::age;
use super::paint::{Paint, Tint};
use super::table::Table;

/// One line for each worker.
pub(crate) fn worker_table(workers: &[Worker], now: Time, paint: Paint) -> String {
    if workers.is_empty() {
        return "No workers.\n".to_owned();
    }
    let header = [
        "ID",
        "HOST",
        "PID",
        "VERSION",
        "STARTED",
        "HEARTBEAT",
        "STATE",
        "AGENTS (RUNNING/SLOTS)",
    ];
    let mut table = Table::new(paint, &header);
    for worker in workers {
        let agents: Vec<String> = worker
            .agents
            .iter()
            .map(|agent| format!("{} {}/{}", agent.name, agent.running, agent.slots))
            .collect();
        let (state, tint) = if worker.draining {
            ("draining", Tint::Busy)
        } else {
            ("serving", Tint::Good)
        };
        table.row([
            (worker.id.clone(), Tint::Plain),
            (worker.host.clone(), Tint::Plain),
            (worker.pid.to_string(), Tint::Plain),
            (worker.version.clone(), Tint::Plain),
            (age(worker.started_at, now), Tint::Plain),
            (age(worker.last_heartbeat_at, now), Tint::Plain),
            (state.to_owned(), tint),
            (agents.join(", "), Tint::Plain),
        ]);
    }
    table.render()
}
