//! What is wrong with a value under a JSON Schema, by its fields.
//!
//! Used for contexts of submissions and for edited arguments. Invariant: what a client sent is repeated in part at most.

use factorial_api::FieldError;
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

use crate::refusal::{field, shorten};

/// Most wrong fields that are told.
const MOST_ERRORS: usize = 20;

/// What `validator` finds wrong with `value`, which stands at `pointer` of the request. What is missing, or should not be
/// there, is a field of its own.
pub(crate) fn wrong_fields(validator: &Validator, value: &Value, pointer: &str) -> Vec<FieldError> {
    validator
        .iter_errors(value)
        .take(MOST_ERRORS)
        .flat_map(|error| tell(&error, pointer))
        .take(MOST_ERRORS)
        .collect()
}

fn tell(error: &ValidationError<'_>, pointer: &str) -> Vec<FieldError> {
    let place = format!("{pointer}{}", error.instance_path());
    let below = |name: &str, message: &str| {
        let name = name.replace('~', "~0").replace('/', "~1");
        field(shorten(&format!("{place}/{name}")), message)
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![below(name, "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .take(MOST_ERRORS)
            .map(|name| below(name, "is not a known property"))
            .collect(),
        _ => vec![field(shorten(&place), shorten(&error.to_string()))],
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_problem_has_the_place_where_it_is_mended() {
        let schema = json!({
            "type": "object", "required": ["a/b", "of"], "additionalProperties": false,
            "properties": {
                "a/b": {"type": "integer"},
                "of": {"type": "object", "required": ["x"]},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = json!({"of": {}, "tags": ["t", 1], "long": "x".repeat(1000)});
        let mut told: Vec<_> = wrong_fields(&validator, &value, "/context")
            .into_iter()
            .map(|error| (error.field, error.message))
            .collect();
        told.sort_unstable();
        let expected = [
            ("/context/a~1b", "is required"),
            ("/context/long", "is not a known property"),
            ("/context/of/x", "is required"),
            ("/context/tags/1", "1 is not of type \"string\""),
        ];
        assert_eq!(told, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn much_that_is_wrong_is_told_in_part() {
        let schema = json!({"properties": {"a": true}, "additionalProperties": false});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = (0..1000)
            .map(|n| (format!("{n}{}", "x".repeat(500)), json!(n)))
            .collect();
        let told = wrong_fields(&validator, &Value::Object(value), "/context");
        assert_eq!(told.len(), MOST_ERRORS);
        for error in told {
            assert!(error.field.len() < 400 && error.message.len() < 400);
        }
    }
}
