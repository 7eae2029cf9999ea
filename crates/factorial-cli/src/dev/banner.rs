//! What `factorial dev` says once everything is up: where things are, and two lines to try.
//!
//! Invariant: both lines work as they are pasted.

use factorial_agent::{AgentDefinition, ToolDefinition};
use unicode_width::UnicodeWidthStr as _;

use super::place::Addresses;
use crate::output::{Paint, Tint, clean_line};

/// Column of the values.
const INDENT: usize = 14;
/// Longest line, where words allow.
const WIDTH: usize = 92;
/// The address that the commands use unless told otherwise.
const USUAL_GATEWAY: &str = "http://127.0.0.1:8000";

/// All that the banner tells.
pub(crate) struct Banner<'a> {
    pub(crate) addresses: &'a Addresses,
    pub(crate) redis: String,
    pub(crate) model: String,
    pub(crate) agents: &'a [AgentDefinition],
    /// Where the agents come from.
    pub(crate) origin: &'a str,
    /// Who may call it.
    pub(crate) access: String,
    /// A key is needed.
    pub(crate) needs_key: bool,
    /// Webhooks may go to private addresses too.
    pub(crate) webhooks_go_anywhere: bool,
    /// Tasks that were there before, by state.
    pub(crate) tasks: Vec<(&'static str, u64)>,
    /// How to call this program.
    pub(crate) command: &'a str,
}

impl Banner<'_> {
    /// The lines.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut text = String::from("\n");
        let title = paint.tint(Tint::Strong, "factorial dev");
        text.push_str(&format!("  {title} {}\n\n", env!("CARGO_PKG_VERSION")));
        let gateway = &self.addresses.gateway;
        let mut fact = |name: &str, value: &str| {
            let label = paint.tint(Tint::Faint, format!("{name:<width$}", width = INDENT - 2));
            text.push_str(&format!("  {label}{}\n", wrapped(value)));
        };
        fact("API", &format!("{gateway}/v1"));
        fact("API docs", &format!("{gateway}/docs"));
        if let Some(dashboard) = &self.addresses.dashboard {
            fact("Dashboard", &format!("{dashboard}/observability"));
        }
        fact("Access", &self.access);
        fact("Metrics", &format!("{}/metrics", self.addresses.admin));
        fact("Redis", &self.redis);
        fact("Model", &self.model);
        let names: Vec<&str> = self
            .agents
            .iter()
            .map(|agent| agent.name.as_str())
            .collect();
        fact("Agents", &format!("{} ({})", names.join(", "), self.origin));
        if self.webhooks_go_anywhere {
            fact("Webhooks", "also to this machine and private networks");
        }
        if !self.tasks.is_empty() {
            let counts: Vec<String> = self
                .tasks
                .iter()
                .map(|(state, n)| format!("{n} {state}"))
                .collect();
            fact("Tasks", &format!("{} from before", counts.join(", ")));
        }
        text.push_str(&format!("\n  {}\n\n", paint.tint(Tint::Faint, "Try")));
        text.push_str(&self.lines_to_try());
        text.push_str("\n  Ctrl-C stops everything.\n\n");
        text
    }

    fn lines_to_try(&self) -> String {
        let gateway = &self.addresses.gateway;
        let url = if gateway == USUAL_GATEWAY {
            String::new()
        } else {
            format!(" --url {gateway}")
        };
        let Some(agent) = preferred(self.agents) else {
            return String::new();
        };
        let (name, query) = (agent.name.as_str(), query_for(agent));
        let body = serde_json::json!({ "agent": name, "owner_id": "me", "query": query });
        // The command takes it from there by itself.
        let key = if self.needs_key {
            " \\\n    -H \"authorization: Bearer $FACTORIAL_API_KEY\""
        } else {
            ""
        };
        format!(
            "  curl -s {gateway}/v1/tasks -H 'content-type: application/json'{key} \\\n    -d '{body}'\n  \
             {} run {name} \"{query}\"{url}\n",
            self.command
        )
    }
}

/// `assistant` if there is one, else the first.
fn preferred(agents: &[AgentDefinition]) -> Option<&AgentDefinition> {
    let assistant = agents
        .iter()
        .find(|agent| agent.name.as_str() == "assistant");
    assistant.or(agents.first())
}

/// A question that the agent can answer; without quotes of any kind.
fn query_for(agent: &AgentDefinition) -> &'static str {
    let knows_time = agent.tools.iter().any(|tool| {
        matches!(tool, ToolDefinition::Function { name, .. } if name.as_str() == "current_time")
    });
    if knows_time {
        "What time is it?"
    } else {
        "What can you do for me?"
    }
}

/// Breaks a value at words; the lines after the first are indented.
fn wrapped(value: &str) -> String {
    let mut out = String::new();
    let mut column = INDENT;
    for word in clean_line(value).split_whitespace() {
        let width = word.width();
        if column > INDENT && column + 1 + width > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else if column > INDENT {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_wrapped() {
        let value = "word ".repeat(40);
        for line in wrapped(&value).lines().skip(1) {
            assert!(line.starts_with("              word"), "{line:?}");
            assert!(line.len() <= WIDTH, "{line:?}");
        }
        assert_eq!(wrapped("short"), "short");
    }
}
