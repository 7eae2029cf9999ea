//! How long an answer is waited for, and which calls need a person's yes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds that an answer is waited for when nothing else is said: a day.
const DEFAULT_WAIT: Duration = Duration::from_secs(86_400);

/// How long an answer is waited for: seconds, or `never` for a wait that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "TimeoutForm", into = "TimeoutForm")]
pub enum WaitTimeout {
    /// After so many seconds.
    Seconds(f64),
    /// Not at all.
    Never,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TimeoutForm {
    Seconds(f64),
    Word(Never),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Never {
    Never,
}

impl From<TimeoutForm> for WaitTimeout {
    fn from(form: TimeoutForm) -> Self {
        match form {
            TimeoutForm::Seconds(seconds) => Self::Seconds(seconds),
            TimeoutForm::Word(Never::Never) => Self::Never,
        }
    }
}

impl From<WaitTimeout> for TimeoutForm {
    fn from(timeout: WaitTimeout) -> Self {
        match timeout {
            WaitTimeout::Seconds(seconds) => Self::Seconds(seconds),
            WaitTimeout::Never => Self::Word(Never::Never),
        }
    }
}

impl WaitTimeout {
    /// The duration of `timeout`, or a day if there is none; `None` for never.
    #[must_use]
    pub fn resolve(timeout: Option<Self>) -> Option<Duration> {
        match timeout {
            Some(Self::Never) => None,
            Some(Self::Seconds(seconds)) => {
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(DEFAULT_WAIT))
            }
            None => Some(DEFAULT_WAIT),
        }
    }
}

/// When a call of a tool needs a person's yes. `always`, or the keys below, in a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ApprovalForm", into = "ApprovalForm")]
pub struct ApprovalSpec {
    /// JSON Schema: only calls whose arguments are valid under it need one; all, when absent.
    pub when: Option<Value>,
    /// How long the answer is waited for; a day when absent.
    pub timeout_seconds: Option<WaitTimeout>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ApprovalForm {
    Word(Always),
    Keys(ApprovalKeys),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Always {
    Always,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalKeys {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<WaitTimeout>,
}

impl From<ApprovalForm> for ApprovalSpec {
    fn from(form: ApprovalForm) -> Self {
        match form {
            ApprovalForm::Word(Always::Always) => Self::default(),
            ApprovalForm::Keys(keys) => Self {
                when: keys.when,
                timeout_seconds: keys.timeout_seconds,
            },
        }
    }
}

impl From<ApprovalSpec> for ApprovalForm {
    fn from(spec: ApprovalSpec) -> Self {
        if spec == ApprovalSpec::default() {
            Self::Word(Always::Always)
        } else {
            Self::Keys(ApprovalKeys {
                when: spec.when,
                timeout_seconds: spec.timeout_seconds,
            })
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_and_keys_are_read_as_they_are_written() {
        for form in [
            json!("always"),
            json!({"when": {"type": "object"}, "timeout_seconds": 2.5}),
            json!({"timeout_seconds": "never"}),
        ] {
            let spec: ApprovalSpec = serde_json::from_value(form.clone()).unwrap();
            assert_eq!(serde_json::to_value(spec).unwrap(), form);
        }
        for bad in [
            json!("sometimes"),
            json!({"timeout_seconds": "ever"}),
            json!({"wen": {}}),
        ] {
            assert!(serde_json::from_value::<ApprovalSpec>(bad).is_err());
        }
    }

    #[test]
    fn a_day_is_waited_for_unless_something_else_is_said() {
        assert_eq!(WaitTimeout::resolve(None), Some(DEFAULT_WAIT));
        assert_eq!(WaitTimeout::resolve(Some(WaitTimeout::Never)), None);
        assert_eq!(
            WaitTimeout::resolve(Some(WaitTimeout::Seconds(1.5))),
            Some(Duration::from_millis(1500))
        );
    }
}
