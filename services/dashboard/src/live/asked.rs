//! What a client subscribes to.

use std::collections::BTreeMap;

use factorial_api::FieldError;
use factorial_core::TaskId;
use factorial_service::{ApiError, ErrorKind};
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// Most bytes of all parameters together.
const LONGEST: usize = 4096;

/// A topic with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// What an operation answers. It is its own name: equal ones are looked at once.
    Operation {
        /// Path and query below the operations.
        path: String,
        /// The answer is put into an object under this name.
        wrapped: Option<&'static str>,
        /// It changes with every look, so it is not looked at more often than every second.
        restless: bool,
    },
    /// A task with its log.
    Task {
        id: TaskId,
        /// `seq` of the last event that the client has.
        after_seq: u64,
        /// Index of the last message that the client has.
        after_message: Option<u64>,
    },
}

impl Asked {
    /// Reads a subscription.
    ///
    /// # Errors
    /// When there is no such topic, or a parameter cannot be one. Others are judged by the operation.
    pub(super) fn read(topic: &str, params: &BTreeMap<String, Value>) -> Result<Self, ApiError> {
        let operation = |path: &str, restless| {
            Ok(Self::Operation {
                path: with_query(path, params)?,
                wrapped: None,
                restless,
            })
        };
        match topic {
            "overview" => operation("/overview", true),
            "system" => operation("/system", true),
            "tasks" => operation("/tasks", false),
            "approvals" => operation("/approvals", false),
            "tool_calls" => operation("/tool-calls", false),
            "batches" => operation("/batches", false),
            "workers" => operation("/workers", true),
            "agents" => operation("/agents", true),
            "batch" => {
                let id = id_of(params, "batch_id")?;
                Ok(Self::Operation {
                    path: format!("/batches/{id}"),
                    wrapped: Some("batch"),
                    restless: false,
                })
            }
            "task" => Ok(Self::Task {
                id: id_of(params, "task_id")?,
                after_seq: number(params, "after_seq")?.unwrap_or(0),
                after_message: number(params, "after_message")?,
            }),
            _ => Err(ApiError::new(ErrorKind::RouteNotFound).with_detail("there is no such topic")),
        }
    }
}

fn with_query(path: &str, params: &BTreeMap<String, Value>) -> Result<String, ApiError> {
    let mut query = Serializer::new(String::new());
    for (name, value) in params {
        match value {
            Value::Null => {}
            Value::String(text) => {
                query.append_pair(name, text);
            }
            Value::Number(number) => {
                query.append_pair(name, &number.to_string());
            }
            Value::Array(items) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                let texts = texts.ok_or_else(|| bad(name, "must be a list of texts"))?;
                query.append_pair(name, &texts.join(","));
            }
            Value::Bool(_) | Value::Object(_) => {
                return Err(bad(name, "must be text, a number, or a list of texts"));
            }
        }
    }
    let query = query.finish();
    if query.len() > LONGEST {
        return Err(bad("", "the parameters are too long"));
    }
    if query.is_empty() {
        return Ok(path.to_owned());
    }
    Ok(format!("{path}?{query}"))
}

fn id_of(params: &BTreeMap<String, Value>, name: &str) -> Result<TaskId, ApiError> {
    let id = params.get(name).and_then(Value::as_str);
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| bad(name, "is not an id"))
}

/// A number from 0 on; one below is as if it was absent.
fn number(params: &BTreeMap<String, Value>, name: &str) -> Result<Option<u64>, ApiError> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match (value.as_u64(), value.as_i64()) {
            (Some(number), _) => Ok(Some(number)),
            (None, Some(_)) => Ok(None),
            (None, None) => Err(bad(name, "must be a whole number")),
        },
    }
}

fn bad(name: &str, message: &str) -> ApiError {
    ApiError::invalid(vec![FieldError {
        field: name.to_owned(),
        message: message.to_owned(),
    }])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(topic: &str, params: Value) -> Result<Asked, ApiError> {
        Asked::read(topic, &serde_json::from_value(params).unwrap())
    }

    #[test]
    fn equal_subscriptions_have_equal_names() {
        let one = json!({"q": "a b&c", "limit": 5, "agent": null, "status": ["failed", "queued"]});
        let one = read("tasks", one).unwrap();
        let two = json!({"limit": 5, "q": "a b&c", "status": "failed,queued"});
        let two = read("tasks", two).unwrap();
        assert_eq!(one, two);
        let Asked::Operation { path, .. } = one else {
            panic!("{one:?}");
        };
        assert_eq!(path, "/tasks?limit=5&q=a+b%26c&status=failed%2Cqueued");
    }

    #[test]
    fn what_cannot_be_a_subscription_is_refused() {
        for (topic, params) in [
            ("nothing", json!({})),
            ("tasks", json!({"limit": [1]})),
            ("tasks", json!({"q": "x".repeat(5000)})),
            ("task", json!({})),
            ("task", json!({"task_id": "../../system"})),
            ("batch", json!({"batch_id": 7})),
        ] {
            assert!(read(topic, params.clone()).is_err(), "{topic} {params}");
        }
        let id = "0-01hf7yat000000000000000010";
        let task = read("task", json!({"task_id": id, "after_message": -1})).unwrap();
        let expected = Asked::Task {
            id: id.parse().unwrap(),
            after_seq: 0,
            after_message: None,
        };
        assert_eq!(task, expected);
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use factorial_api::LiveRequest;

    #[test]
    fn fuzz_messages_of_the_socket() {
        let seeds = [
            r#"{"type":"subscribe","id":1,"topic":"tasks","params":{"limit":5,"status":["failed","queued"],"q":"a b&c","agent":null}}"#,
            r#"{"type":"subscribe","id":2,"topic":"task","params":{"task_id":"0-01hf7yat000000000000000010","after_seq":3,"after_message":-1}}"#,
            r#"{"type":"subscribe","id":3,"topic":"batch","params":{"batch_id":"0-01hf7yat000000000000000010"}}"#,
            r#"{"type":"unsubscribe","id":2}"#,
            r#"{"type":"ping"}"#,
        ];
        factorial_fuzz::texts(&seeds, |text| {
            if let Ok(LiveRequest::Subscribe { topic, params, .. }) = serde_json::from_str(text)
                && let Ok(Asked::Operation { path, .. }) = Asked::read(&topic, &params)
            {
                let place = path.split('?').next().unwrap_or_default();
                assert!(place.starts_with('/') && !place.contains(".."), "{path}");
                assert!(path.len() <= LONGEST + 64);
                assert!(format!("/v1{path}").parse::<http::Uri>().is_ok(), "{path}");
            }
        });
    }
}
