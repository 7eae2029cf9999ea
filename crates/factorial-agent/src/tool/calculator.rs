//! The built-in tool `calculator`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Tool, ToolContext, ToolError, ToolErrorKind, ToolOutput, ToolSpec, expression};

/// Works out arithmetic expressions.
pub(crate) struct Calculator(ToolSpec);

impl Default for Calculator {
    fn default() -> Self {
        let parameters = json!({
            "type": "object",
            "properties": {
                "expression": {"type": "string", "maxLength": expression::MAX_BYTES, "description": "for example (2 + 3) * sqrt(16) / 7^2"}
            },
            "required": ["expression"],
            "additionalProperties": false
        });
        let description = "Works out an arithmetic expression with + - * / % ^, parentheses, pi, e, and the functions abs, ceil, cos, exp, \
                           floor, ln, log10, max, min, round, sin, sqrt, tan.";
        Self(ToolSpec::new("calculator", description, parameters))
    }
}

#[async_trait]
impl Tool for Calculator {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError> {
        let text = args
            .get("expression")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let value = expression::evaluate(text)
            .map_err(|error| ToolError::new(ToolErrorKind::InvalidArguments, error.to_string()))?;
        Ok(value.to_string().into())
    }
}
