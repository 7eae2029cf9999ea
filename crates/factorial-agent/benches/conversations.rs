//! What is pure in a turn: reading messages of clients, judging an output, sums of tokens, delays.
#![expect(clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use factorial_agent::{Message, OutputSchema, OutputSpec, RetryPolicy, Usage, parse_messages};
use serde_json::{Value, json};

/// A conversation of so many turns with a tool each.
fn conversation(turns: usize) -> Value {
    let mut messages = vec![json!({ "role": "user", "content": "Will it rain in Lisbon?" })];
    for turn in 0..turns {
        let id = format!("call_{turn}");
        let call =
            json!({ "id": id, "name": "get_weather", "arguments": "{\"place\":\"Lisbon\"}" });
        messages.push(json!({ "role": "assistant", "content": "", "tool_calls": [call] }));
        messages.push(json!({ "role": "tool", "call_id": id, "name": "get_weather", "content": "x".repeat(600) }));
    }
    Value::Array(messages)
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("messages");
    for turns in [1, 40] {
        let value = conversation(turns);
        let text = value.to_string();
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("check", turns), &value, |b, value| {
            b.iter(|| parse_messages(black_box(value)));
        });
        let parsed = parse_messages(&value).expect("valid messages");
        group.bench_with_input(BenchmarkId::new("encode", turns), &parsed, |b, parsed| {
            b.iter(|| serde_json::to_string(black_box(parsed)));
        });
        let text = serde_json::to_string(&parsed).expect("JSON");
        group.bench_with_input(BenchmarkId::new("decode", turns), &text, |b, text| {
            b.iter(|| serde_json::from_str::<Vec<Message>>(black_box(text)));
        });
    }
    group.finish();
}

fn output(criterion: &mut Criterion) {
    let schema = json!({
        "type": "object", "required": ["rain", "days"], "additionalProperties": false,
        "properties": {
            "rain": { "type": "boolean" },
            "days": { "type": "array", "items": { "type": "string", "minLength": 1 } },
        },
    });
    let schema = OutputSchema::of(&OutputSpec::Json { schema });
    let schema = schema.expect("a valid schema").expect("JSON");
    let text = r#"{"rain":true,"days":["Monday","Tuesday","Friday"]}"#;
    criterion.bench_function("output against its schema", |b| {
        b.iter(|| schema.read(black_box(text)));
    });
}

fn sums(criterion: &mut Criterion) {
    let turn = Usage {
        input: 900,
        cached_input: 300,
        output: 120,
        reasoning: 20,
    };
    criterion.bench_function("usage of 40 turns", |b| {
        b.iter(|| {
            let mut total = Usage::default();
            for _ in 0..40 {
                total += black_box(turn);
            }
            total
        });
    });
    let policy = RetryPolicy::default();
    criterion.bench_function("delay before a retry", |b| {
        b.iter(|| policy.delay(black_box(3), None, black_box(0.5)));
    });
}

criterion_group!(benches, messages, output, sums);
criterion_main!(benches);
