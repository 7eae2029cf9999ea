//! The parts that key names are made of.
//!
//! `keys.rs` builds names from them, and `build.rs` turns each constant into a Lua local of the same name,
//! so that a name is written once. Every key starts with the base of its partition, `{namespace:partition}:`.

/// `t:<id>` hash: the small fields of a task.
pub const TASK: &str = "t:";
/// `t:<id>:m` list: the conversation, from its first entry on, or from the second when that is in the hash.
pub const LOG: &str = ":m";
/// `t:<id>:e` list: the events from `seq` 2 on; the first one is the record itself.
pub const EVENTS: &str = ":e";
/// `t:<id>:s` list: steering messages that wait to be applied.
pub const INBOX: &str = ":s";
/// `t:<id>:x` set: client ids of steering calls.
pub const SEEN: &str = ":x";
/// `t:<id>:w` hash: wait key -> how the wait stands; see `wait.rs`.
pub const WAITS: &str = ":w";
/// `t:<id>:c` set: children that have not ended.
pub const CHILDREN: &str = ":c";
/// `t:<id>:k` list: every child, in the order in which they were spawned.
pub const OFFSPRING: &str = ":k";
/// `r:<agent>:<priority>:<owner>` sorted set: queued task -> when it became ready (ms; 0 = front).
pub const READY: &str = "r:";
/// `q:<agent>` sorted set: `<priority>:<owner>` that has queued tasks -> its turn.
pub const RING: &str = "q:";
/// `wake:<agent>` list: at most one token, for one waiting worker.
pub const WAKE: &str = "wake:";
/// `lease` sorted set: task in `processing` -> deadline of its lease (ms).
pub const LEASE: &str = "lease";
/// `delay` sorted set: task in `scheduled` or `backoff` -> when it is due (ms).
pub const DELAY: &str = "delay";
/// `pending` sorted set: parked task -> since when (ms).
pub const PENDING: &str = "pending";
/// `done:<state>` sorted set: ended task -> when it ended (ms).
pub const DONE: &str = "done:";
/// `deadline` sorted set: task with a wall-clock limit -> when that ends it (ms).
pub const DEADLINE: &str = "deadline";
/// `cascade` list: cancelled tasks whose children are still to be cancelled.
pub const CASCADE: &str = "cascade";
/// `ia:<agent>` sorted set, all scores 0: every task of the agent, for lists.
pub const BY_AGENT: &str = "ia:";
/// `io:<owner>` sorted set, all scores 0: every task of the owner, for lists.
pub const BY_OWNER: &str = "io:";
/// `i:<hash>` string with expiry: idempotency key -> fingerprint and task.
pub const IDEMPOTENCY: &str = "i:";
/// `n` hash: `<agent>:<state>` -> tasks in that state.
pub const COUNTS: &str = "n";
/// `seq` hash: `token`, the last fencing token; `tick`, the last turn given in a ring; `claim:<worker>`, the last call of a
/// worker that claimed something: its number, the deadline of its leases (ms), its first token; `paused:<agent>`: nothing
/// of the agent is claimed.
pub const SEQ: &str = "seq";
/// Field of `seq`: see there.
pub const CLAIM: &str = "claim:";
/// Field of `seq`: see there.
pub const PAUSED: &str = "paused:";
/// `mt:<agent>:<bucket ms>:<start ms>` hash with expiry: one bucket of the metrics timeline.
pub const TIMELINE: &str = "mt:";
/// `await` sorted set: `<id> <wait key>` of an open wait with a deadline -> that (ms).
pub const AWAIT: &str = "await";
/// `asked` sorted set: `<kind> <agent> <owner> <id> <wait key>` of an open wait that asks an operator -> since when (ms).
pub const ASKED: &str = "asked";
/// `orphans` list: children that are not awaited any more and are still to be cancelled.
pub const ORPHANS: &str = "orphans";
/// `b:<id>` hash: a batch with its counters; `b:<id>:e` list: its events.
pub const BATCH: &str = "b:";
/// `batches` sorted set, all scores 0: every batch, for lists.
pub const BATCHES: &str = "batches";
/// `ib:<owner>` sorted set, all scores 0: every batch of the owner, for lists.
pub const OWNER_BATCHES: &str = "ib:";
/// `filling` sorted set: batch that takes members -> when it is sealed as it is (ms).
pub const FILLING: &str = "filling";
/// `cancelling` sorted set: cancelled batch whose members are still to be cancelled -> since when (ms).
pub const CANCELLING: &str = "cancelling";
/// `ev:<id>` channel: events of a task as they are appended.
pub const EVENT_CHANNEL: &str = "ev:";
/// `fo` hash with expiry: owner whose feed is followed -> until when (ms); `<owner> n` -> number of its last entry.
pub const FOLLOWED: &str = "fo";
/// `f:<owner>` stream with expiry: its feed; see `feed.rs`.
pub const FEED: &str = "f:";
/// `of:<owner>` channel: entries of the feed as they are added.
pub const FEED_CHANNEL: &str = "of:";
/// `t:<id>:h`, `b:<id>:h` string: the webhook of a task or a batch, `<secret or -> <types> <url>`.
pub const HOOK: &str = ":h";
/// `hooks` hash: owner -> the version of its webhooks, then those that are on, `<webhook> <types>`, a line each.
pub const HOOKS: &str = "hooks";
/// `outbox` sorted set: delivery that has not ended -> when it is to be tried (ms).
pub const OUTBOX: &str = "outbox";
/// `d:<delivery>` hash, with expiry once it has ended: an event on its way to a webhook; see `delivery.rs`.
pub const DELIVERY: &str = "d:";
/// `dl:<webhook, task or batch>` list with expiry: its deliveries, newest first.
pub const DELIVERIES: &str = "dl:";
/// `out` channel: something is to be delivered.
pub const OUTBOX_CHANNEL: &str = "out";
/// Of the namespace. `webhooks` hash: webhook of an owner -> `<on or off> <print> <definition (JSON)>`.
pub const WEBHOOKS: &str = "webhooks";
/// Of the namespace. `webhooks:owners` hash: owner -> version and ids of its webhooks; ` version` -> the last version.
pub const WEBHOOK_OWNERS: &str = "webhooks:owners";
/// Of the namespace. `webhooks:changed` hash: owner whose webhooks not all partitions know yet -> version.
pub const WEBHOOK_CHANGES: &str = "webhooks:changed";
/// `w:<worker>` channel: cancellations and interrupts for a worker.
pub const WORKER_CHANNEL: &str = "w:";
/// `due` channel: a task became the next one due.
pub const DUE_CHANNEL: &str = "due";
