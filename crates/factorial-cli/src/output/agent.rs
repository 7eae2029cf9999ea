//! Agents as text.

use factorial_api::{Agent, Time};

use super::age::age;
use super::paint::{Paint, Tint, clean_line};
use super::table::Table;

/// One line for each agent.
pub(crate) fn agent_table(agents: &[Agent], now: Time, paint: Paint) -> String {
    if agents.is_empty() {
        return "No agents. A worker announces those that it serves when it starts.\n".to_owned();
    }
    let header = [
        "NAME", "MODEL", "WORKERS", "QUEUED", "RUNNING", "SEEN", "TOOLS",
    ];
    let mut table = Table::new(paint, &header);
    for agent in agents {
        let away = if agent.workers == 0 {
            Tint::Bad
        } else {
            Tint::Plain
        };
        let name = if agent.paused {
            format!("{} (paused)", agent.name)
        } else {
            agent.name.clone()
        };
        table.row([
            (name, Tint::Strong),
            (agent.model.clone().unwrap_or_default(), Tint::Plain),
            (agent.workers.to_string(), away),
            (agent.queued.to_string(), Tint::Plain),
            (agent.processing.to_string(), Tint::Plain),
            (age(agent.last_seen_at, now), Tint::Plain),
            (agent.tools.join(","), Tint::Plain),
        ]);
    }
    table.render()
}

/// Everything about one agent.
pub(crate) fn agent_details(agent: &Agent, now: Time, paint: Paint) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: String| {
        let name = paint.tint(Tint::Faint, format!("{name:<12}"));
        text.push_str(&format!("{name} {value}\n"));
    };
    add("Agent", paint.tint(Tint::Strong, clean_line(&agent.name)));
    if let Some(description) = &agent.description {
        add("Description", clean_line(description));
    }
    if let Some(model) = &agent.model {
        add("Model", clean_line(model));
    }
    if !agent.tools.is_empty() {
        add("Tools", clean_line(&agent.tools.join(", ")));
    }
    add("Version", clean_line(&agent.version));
    if agent.paused {
        add(
            "Paused",
            "yes; `factorial agents resume` ends it".to_owned(),
        );
    }
    add("Workers", agent.workers.to_string());
    add("Queued", agent.queued.to_string());
    add("Running", agent.processing.to_string());
    add("Last seen", age(agent.last_seen_at, now));
    text
}
