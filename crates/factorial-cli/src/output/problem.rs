//! Problem documents as text.

use factorial_api::{ErrorCode, Problem};

use super::batch::batch_problem_text;
use super::paint::clean_line;

/// What happened, then a line for each wrong field and for the agents that exist.
pub(crate) fn problem_text(problem: &Problem, agent: Option<&str>) -> String {
    // The agent is what the title speaks of when the service lists those that exist.
    let subject = agent.filter(|_| problem.known_agents.is_some());
    let mut text = match problem.detail.as_deref().or(subject) {
        Some(detail) => format!("{}: {}", problem.title, clean_line(detail)),
        None => problem.title.clone(),
    };
    for error in &problem.errors {
        let line = format!(
            "\n  {}: {}",
            clean_line(&error.field),
            clean_line(&error.message)
        );
        text.push_str(&line);
    }
    if problem.code == ErrorCode::Unauthenticated {
        text.push_str("\n  give your key as FACTORIAL_API_KEY or --api-key; an admin makes one with `factorial keys create`");
    }
    if let Some(batch) = &problem.batch {
        text.push_str(&batch_problem_text(batch));
    }
    if let Some(known) = &problem.known_agents {
        if known.is_empty() {
            text.push_str("\n  no worker has announced any agent yet");
        } else {
            text.push_str(&format!(
                "\n  known agents: {}",
                clean_line(&known.join(", "))
            ));
        }
        if let Some(near) = agent.and_then(|agent| nearest(agent, known)) {
            text.push_str(&format!("\n  did you mean {}?", clean_line(near)));
        }
    }
    if problem.status >= 500
        && let Some(id) = &problem.request_id
    {
        text.push_str(&format!("\n  request id: {}", clean_line(id)));
    }
    text
}

fn nearest<'k>(agent: &str, known: &'k [String]) -> Option<&'k str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(agent, name), name))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.as_str())
}

#[cfg(test)]
mod tests {
    use factorial_api::FieldError;

    use super::*;

    #[test]
    fn all_that_helps_is_shown() {
        let problem = Problem {
            kind: "/problems/unknown_agent".to_owned(),
            title: "No worker has announced this agent".to_owned(),
            status: 422,
            code: ErrorCode::UnknownAgent,
            detail: None,
            request_id: Some("r1".to_owned()),
            errors: vec![FieldError {
                field: "/priority".to_owned(),
                message: "must be 0 to 9".to_owned(),
            }],
            known_agents: Some(vec!["assistant".to_owned(), "weather".to_owned()]),
            batch: None,
        };
        assert_eq!(
            problem_text(&problem, Some("assistent")),
            "No worker has announced this agent: assistent\n  /priority: must be 0 to 9\n  \
             known agents: assistant, weather\n  did you mean assistant?"
        );
    }
}
