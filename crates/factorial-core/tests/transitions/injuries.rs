//! Damages to the namespace of `damage.rs`, and the invariant that each breaks.

use factorial_tests::invariants::Rule;

use crate::damage::Damage;

/// What is done to it.
pub(crate) type Injury = fn(&mut Damage<'_>);

pub(crate) const INJURIES: &[(Rule, &str, Injury)] = &[
    (Rule::OnePlace, "no lease", |d| {
        d.take("lease", "processing")
    }),
    (Rule::OnePlace, "two places", |d| {
        d.add("pending", "processing", 1)
    }),
    (Rule::OnePlace, "a place of another state", |d| {
        d.set("t:{queued}", "state", "backoff")
    }),
    (Rule::OnePlace, "no state", |d| {
        d.set("t:{queued}", "state", "lost")
    }),
    (Rule::OnePlace, "no turn in the ring", |d| d.remove("q:a")),
    (Rule::OnePlace, "due at another time", |d| {
        d.set("t:{scheduled}", "due", "1")
    }),
    (Rule::OnePlace, "ended at another time", |d| {
        d.set("t:{failed}", "finished", "1")
    }),
    (Rule::OnePlace, "no deadline", |d| {
        d.take("deadline", "queued")
    }),
    (Rule::OnePlace, "a deadline after the end", |d| {
        d.add("deadline", "failed", 1)
    }),
    (Rule::OnePlace, "a worker in a queue", |d| {
        d.set("t:{queued}", "worker", "w1")
    }),
    (Rule::OnePlace, "not listed for its agent", |d| {
        d.take("ia:a", "queued")
    }),
    (Rule::OnePlace, "not listed for its owner", |d| {
        d.take("io:o", "queued")
    }),
    (Rule::OnePlace, "listed for another", |d| {
        d.add("io:p", "queued", 0)
    }),
    (Rule::OnePlace, "an entry without a task", |d| {
        d.remove("t:{processing}")
    }),
    (Rule::EndsOnce, "a second end", |d| {
        d.push("t:{failed}:e", "9999999999999 1 0 run_failed {}")
    }),
    (Rule::EndsOnce, "an event after the end", |d| {
        d.push("t:{completed}:e", "9999999999999 1 0 agent_output {}");
    }),
    (Rule::EndsOnce, "an end of a task that runs", |d| {
        d.push("t:{processing}:e", "9999999999999 1 0 run_cancelled {}");
    }),
    (Rule::EndsOnce, "completed with a failure", |d| {
        d.set("t:{completed}", "failure", "{}")
    }),
    (Rule::EndsOnce, "failed with an output", |d| {
        d.push("t:{failed}:m", r#"{"t":"output"}"#)
    }),
    (Rule::Attempts, "one attempt too many", |d| {
        d.set("t:{failed}", "attempts", "2")
    }),
    (Rule::Attempts, "a retry that was none", |d| {
        d.set("t:{failed}", "retries", "1")
    }),
    (Rule::Attempts, "an end without a start", |d| {
        d.push("t:{queued}:e", "9999999999999 0 0 run_handed_back {}");
    }),
    (Rule::Attempts, "a start in a start", |d| {
        d.push("t:{processing}:e", "9999999999999 2 0 run_resumed {}");
    }),
    (Rule::Belongings, "a key without a task", |d| {
        d.remove("t:{processing}")
    }),
    (Rule::Belongings, "a task without events", |d| {
        d.remove("t:{processing}:e")
    }),
    (Rule::Belongings, "an unknown key", |d| d.text("what")),
    (Rule::Belongings, "a key that should expire", |d| {
        d.text("i:0123")
    }),
    (Rule::Awaited, "a wrong count", |d| {
        d.set("t:{processing}", "awaited", "2")
    }),
    (Rule::Awaited, "an answer that nobody gave", |d| {
        d.set("t:{processing}:w", "call", "completed x")
    }),
    (Rule::Awaited, "a deadline that was lost", |d| {
        d.remove("await")
    }),
    (Rule::Awaited, "a question that was lost", |d| {
        d.take_text("asked", "approval a o {processing} a:c3")
    }),
    (Rule::Awaited, "an answer that is not one", |d| {
        d.set("t:{processing}:w", "c2", "= operator result 1 x 1 {}")
    }),
    (Rule::Awaited, "a child of somebody else", |d| {
        let other = format!("? child 1 0 {}", d.w.id("queued"));
        d.set("t:{processing}:w", "call/0", &other);
    }),
    (Rule::Awaited, "a child that nobody awaits", |d| {
        d.set("t:{processing}:w", "call/0", "= child timeout 1 x y {}");
        d.set("t:{processing}", "awaited", "2");
    }),
    (Rule::Awaited, "a child that is not listed", |d| {
        d.remove("t:{processing}:k")
    }),
    (Rule::Awaited, "a wrong depth", |d| {
        d.set("t:{child}", "depth", "2")
    }),
    (Rule::Attempts, "a task that nobody parked", |d| {
        d.push("t:{queued}:e", "9999999999999 0 0 run_unparked {}");
    }),
    (Rule::Usage, "a tree that spent nothing", |d| {
        d.set("t:{processing}", "tree", "1 0 0 0 0 0")
    }),
    (Rule::Counts, "descendants that never were", |d| {
        d.set("t:{processing}", "spawned", "2")
    }),
    (Rule::Counts, "a wrong counter of a batch", |d| {
        d.set("b:{batch}", "queued", "2")
    }),
    (Rule::Counts, "a member too many", |d| {
        d.set("b:{batch}", "accepted", "3")
    }),
    (Rule::Counts, "progress that nobody made", |d| {
        d.set("b:{batch}", "done", "2")
    }),
    (Rule::Counts, "an end that was not counted", |d| {
        d.set("b:{batch}", "ended", "0")
    }),
    (Rule::Usage, "a batch that spent nothing", |d| {
        d.set("b:{batch}", "spent", "0 0 0 0 0 0")
    }),
    (Rule::EndsOnce, "a batch that ended before", |d| {
        d.push("b:{batch}:e", "9999999999999 0 0 batch_completed {}");
    }),
    (Rule::OnePlace, "a batch that is not listed", |d| {
        d.remove("batches")
    }),
    (Rule::OnePlace, "a batch that fills for ever", |d| {
        d.add("filling", "batch", 1)
    }),
    (Rule::Awaited, "a child that is not known", |d| {
        d.remove("t:{processing}:c")
    }),
    (Rule::Usage, "tokens of no turn", |d| {
        d.set("t:{completed}", "u:m", "11 0 2 0")
    }),
    (Rule::Usage, "tokens of another model", |d| {
        d.set("t:{completed}", "u:n", "10 0 2 0")
    }),
    (Rule::Usage, "bytes of no entry", |d| {
        d.push("t:{queued}:m", "{}")
    }),
    (Rule::Steering, "a message that was dropped", |d| {
        d.remove("t:{processing}:s")
    }),
    (Rule::Steering, "a message that nobody sent", |d| {
        d.push("t:{processing}:s", "{}")
    }),
    (Rule::Steering, "applied without an event", |d| {
        d.push("t:{queued}:m", r#"{"t":"steer"}"#)
    }),
    (Rule::Events, "an event that cannot be read", |d| {
        d.push("t:{queued}:e", "now")
    }),
    (Rule::Events, "an event of the past", |d| {
        d.push("t:{processing}:e", "1 1 0 agent_output {}")
    }),
    (Rule::Counts, "a wrong counter", |d| {
        d.set("n", "a:queued", "7")
    }),
    (Rule::Counts, "a counter of nothing", |d| {
        d.set("n", "b:failed", "1")
    }),
    (Rule::Counts, "two wake-ups", |d| d.push("wake:a", "1")),
];
