//! Samples are checked by an independent validator.

use serde_json::{Value, json};

use super::Sampler;
use crate::seed::Seed;

fn sample(schema: &Value, query: &str, seed: u64) -> Value {
    Sampler::new(schema, query, Seed::new(seed)).sample()
}

#[test]
fn samples_are_valid() {
    let schemas = [
        json!({"type": "object", "required": ["city", "days", "unit"], "properties": {
            "city": {"type": "string", "minLength": 40, "maxLength": 50},
            "days": {"type": "integer", "minimum": 1, "maximum": 14},
            "unit": {"enum": ["celsius", "fahrenheit"]}}, "additionalProperties": false}),
        json!({"type": "object", "required": ["filter"], "properties": {"filter": {"type": "object",
            "required": ["tags", "range"], "properties": {
                "tags": {"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string"}},
                "range": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "maxItems": 2}}}}}),
        json!({"$defs": {"node": {"type": "object", "required": ["name", "children"], "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "maxItems": 0, "items": {"$ref": "#/$defs/node"}}}}},
            "$ref": "#/$defs/node"}),
        json!({"type": "object", "required": ["a"], "allOf": [{"required": ["b"], "properties": {"b": {"type": "boolean"}}}],
            "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 3}]}}}),
        json!({"type": "array", "minItems": 2, "uniqueItems": true, "items": {"enum": ["x", "y"]}}),
        json!({"type": "object", "minProperties": 2, "additionalProperties": {"type": "number", "exclusiveMaximum": 0}}),
        json!({"type": ["string", "null"], "pattern": "^[A-Z]{2}-\\d{3,}(foo|bar)?$", "minLength": 9}),
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "email"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "number", "minimum": 0.25, "maximum": 0.5}),
        json!({"type": "integer", "minimum": -7, "maximum": -7}),
        json!({"const": {"a": [1]}}),
        json!(true),
        json!({}),
    ];
    for schema in &schemas {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(schema)
            .unwrap();
        for (seed, query) in ["", "weather in Paris for 3 days", "99999 ü celsius"]
            .into_iter()
            .enumerate()
        {
            let value = sample(schema, query, seed as u64);
            assert!(validator.is_valid(&value), "{value} for {schema}");
        }
    }
}

#[test]
fn the_query_supplies_words_and_numbers() {
    let schema = json!({"type": "object", "required": ["a", "b", "unit", "text"], "properties": {
        "a": {"type": "number"}, "b": {"type": "integer"}, "unit": {"enum": ["km", "mile"]}, "text": {"type": "string"}}});
    let value = sample(&schema, "add 2.5 and 40 in mile.", 1);
    assert_eq!(
        value,
        json!({"a": 2.5, "b": 40, "unit": "mile", "text": "add 2.5 and 40 in mile."})
    );
}

#[test]
fn schemas_without_end_are_bounded() {
    let twice = json!({"$defs": {"t": {"type": "object", "required": ["l", "r"], "properties":
        {"l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"});
    sample(&twice, "", 1);
    let circle = json!({"$defs": {"t": {"$ref": "#/$defs/t"}}, "$ref": "#/$defs/t"});
    sample(&circle, "", 1);
    let wide = json!({"type": "array", "minItems": 1_000_000_000_u64, "items":
        {"type": "array", "minItems": 1_000_000_000_u64}});
    sample(&wide, "", 1);
}
