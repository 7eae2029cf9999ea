//! One member of a batch, judged with what the batch says for all.
//!
//! Called for each line as it comes, and again when the line is read back to be accepted.

use factorial_api::{BatchMember, FieldError, Limits, SubmitTask};
use factorial_core::Owners;

use super::settings::Settings;
use crate::{
    refusal::field,
    submission::{self, Submission, most_text},
};

/// The label that keeps a member's own name.
pub(super) const CUSTOM_ID: &str = "custom_id";
/// Most characters of it.
const LONGEST_CUSTOM_ID: usize = 128;

/// The member as a task, if it is acceptable.
///
/// # Errors
/// All wrong fields.
pub(super) fn judge(
    member: BatchMember,
    settings: &Settings,
    now_ms: i64,
) -> Result<Submission, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let common = &settings.given;
    let agent = member.agent.or_else(|| common.agent.clone());
    if agent.is_none() {
        wrong.push(field("/agent", "must be given here or for the batch"));
    }
    let mut metadata = member.metadata;
    if let Some(name) = member.custom_id {
        if name.is_empty() || !most_text(&name, LONGEST_CUSTOM_ID) {
            wrong.push(field("/custom_id", "must be 1 to 128 characters"));
        }
        if metadata.insert(CUSTOM_ID.to_owned(), name).is_some() {
            wrong.push(field("/metadata/custom_id", "excludes custom_id"));
        }
    }
    let task = SubmitTask {
        // A name that passes; the missing one has been noted.
        agent: agent.unwrap_or_else(|| "a".to_owned()),
        owner_id: common.owner_id.clone(),
        query: member.query,
        messages: member.messages,
        context: member.context,
        priority: member.priority.or(common.priority),
        run_at: member.run_at,
        delay_seconds: member.delay_seconds,
        limits: tighter(common.limits.as_ref(), member.limits),
        tools: member.tools,
        stream: member.stream.unwrap_or(common.stream),
        webhook: member.webhook,
        metadata,
        ..SubmitTask::default()
    };
    match submission::check(&Owners::All, task, now_ms) {
        Ok(sound) if wrong.is_empty() && settings.tells_of_members() => {
            Ok(sound.or_webhook_of_batch())
        }
        Ok(sound) if wrong.is_empty() => Ok(sound),
        Ok(_) => Err(wrong),
        Err(error) => {
            wrong.extend(error.into_field_errors());
            Err(wrong)
        }
    }
}

/// Of each limit the smaller one.
fn tighter(common: Option<&Limits>, own: Option<Limits>) -> Option<Limits> {
    fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
    let Some(common) = common else { return own };
    let own = own.unwrap_or_default();
    Some(Limits {
        max_turns: least(own.max_turns, common.max_turns),
        max_total_tokens: least(own.max_total_tokens, common.max_total_tokens),
        max_tool_calls: least(own.max_tool_calls, common.max_tool_calls),
        deadline_seconds: least(own.deadline_seconds, common.deadline_seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_limit_counts() {
        let limits = |turns, calls| Limits {
            max_turns: turns,
            max_tool_calls: calls,
            ..Limits::default()
        };
        let both = tighter(Some(&limits(Some(5), None)), Some(limits(Some(9), Some(2))));
        assert_eq!(both, Some(limits(Some(5), Some(2))));
        let own = tighter(Some(&limits(Some(5), Some(7))), Some(limits(Some(3), None)));
        assert_eq!(own, Some(limits(Some(3), Some(7))));
        assert_eq!(
            tighter(None, Some(limits(Some(3), None))),
            Some(limits(Some(3), None))
        );
        assert_eq!(tighter(None, None), None);
    }
}
