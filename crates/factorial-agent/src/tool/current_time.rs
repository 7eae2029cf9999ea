//! The built-in tool `current_time`.

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Tool, ToolContext, ToolError, ToolErrorKind, ToolOutput, ToolSpec};

/// Tells the date, time and weekday in a time zone.
pub(crate) struct CurrentTime {
    spec: ToolSpec,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl CurrentTime {
    pub(crate) fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let parameters = json!({
            "type": "object",
            "properties": {
                "time_zone": {"type": "string", "description": "IANA name such as Europe/Berlin; UTC when left out"}
            },
            "additionalProperties": false
        });
        let spec = ToolSpec::new(
            "current_time",
            "The current date, time and weekday in a time zone.",
            parameters,
        );
        Self {
            spec,
            clock: Box::new(clock),
        }
    }
}

#[async_trait]
impl Tool for CurrentTime {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, _ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError> {
        let name = args
            .get("time_zone")
            .and_then(Value::as_str)
            .unwrap_or("UTC");
        let zone = TimeZone::get(name).map_err(|_| {
            ToolError::new(
                ToolErrorKind::InvalidArguments,
                format!("unknown time zone {name:?}; use an IANA name"),
            )
        })?;
        let now = (self.clock)().to_zoned(zone);
        Ok(json!({"time": now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), "weekday": now.strftime("%A").to_string(), "time_zone": name}).into())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn zones_are_honoured() {
        let tool = CurrentTime::new(|| "2026-07-01T22:30:00Z".parse().unwrap());
        let ctx = ToolContext {
            task_id: "t".into(),
            call_id: "c".into(),
            idempotency_key: "t/c".into(),
            agent: "a".into(),
            owner: "o".into(),
            turn: 1,
            context: Value::Null,
            callback_url: None,
            trace: None,
        };
        let utc = tool.call(&ctx, json!({})).await.unwrap().content;
        assert_eq!(
            utc,
            r#"{"time":"2026-07-01T22:30:00+00:00","weekday":"Wednesday","time_zone":"UTC"}"#
        );
        let berlin = tool
            .call(&ctx, json!({"time_zone": "Europe/Berlin"}))
            .await
            .unwrap()
            .content;
        assert!(
            berlin.contains("2026-07-02T00:30:00+02:00") && berlin.contains("Thursday"),
            "{berlin}"
        );
        assert!(
            tool.call(&ctx, json!({"time_zone": "Mars/Olympus"}))
                .await
                .is_err()
        );
    }
}
