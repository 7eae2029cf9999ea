//! What is pure between a call of the store and Redis: entries of conversations, ids, hashes, sums.
#![expect(clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use factorial_core::{Entry, Idempotency, OwnerId, Partition, TaskId, ToolCall, Usage, WaitKey};
use ulid::Ulid;

const ID: &str = "7-01k0a1b2c3d4e5f6g7h8j9kamn";

/// A reply with a tool call, as long as a turn of a usual run.
fn reply() -> Entry {
    Entry::Reply {
        turn: 12,
        content: "It will \"rain\" in Lisbon.\n".repeat(20),
        tool_calls: vec![ToolCall {
            id: "call_12".to_owned(),
            name: "get_weather".to_owned(),
            arguments: r#"{"place":"Lisbon","days":3}"#.to_owned(),
            signatures: Vec::new(),
        }],
        reasoning: None,
    }
}

fn entries(criterion: &mut Criterion) {
    let reply = reply();
    let stored = serde_json::to_string(&reply).expect("JSON");
    let mut group = criterion.benchmark_group("entry");
    group.throughput(Throughput::Bytes(stored.len() as u64));
    group.bench_function("encode", |b| {
        b.iter(|| serde_json::to_string(black_box(&reply)));
    });
    group.bench_function("decode", |b| {
        b.iter(|| serde_json::from_str::<Entry>(black_box(&stored)));
    });
    group.finish();
}

fn ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("id");
    group.bench_function("make", |b| {
        b.iter(|| TaskId::new(Partition(7), black_box(Ulid::nil())));
    });
    group.bench_function("parse", |b| b.iter(|| black_box(ID).parse::<TaskId>()));
    group.bench_function("parse wait key", |b| {
        b.iter(|| black_box("call_12/3").parse::<WaitKey>());
    });
    group.finish();
}

fn idempotency(criterion: &mut Criterion) {
    let owner = OwnerId::new("user-7").expect("a name");
    let (request, keep) = ("x".repeat(200), Duration::from_secs(86_400));
    criterion.bench_function("idempotency key", |b| {
        b.iter(|| Idempotency::new(&owner, black_box("a-key"), request.as_bytes(), keep));
    });
}

fn usage(criterion: &mut Criterion) {
    let turns = [Usage {
        input: 900,
        cached_input: 300,
        output: 120,
        reasoning: 20,
    }; 40];
    criterion.bench_function("usage of 40 turns", |b| {
        b.iter(|| {
            let mut total = Usage::default();
            for turn in black_box(&turns) {
                total.add(*turn);
            }
            total
        });
    });
}

criterion_group!(benches, entries, ids, idempotency, usage);
criterion_main!(benches);
