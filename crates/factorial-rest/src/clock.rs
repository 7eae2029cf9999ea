//! The one place where the gateway reads a clock and draws randomness.
//!
//! Ids sort by the time in them, and gateways differ in their clocks; so the clock here follows that of Redis.
//! Invariant: nothing is due, expires or is fenced by this clock; it names things and bounds what clients may ask.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use factorial_core::{Partition, TaskId};
use factorial_service::KeyToken;
use ulid::Ulid;

/// A wall clock, corrected by what is known of the clock of Redis.
#[derive(Debug, Default)]
pub(crate) struct StoreClock {
    offset_ms: AtomicI64,
}

impl StoreClock {
    /// Takes over the time of Redis, as it was between `asked_ms` and now by the clock of this machine.
    pub(crate) fn learn(&self, store_ms: u64, asked_ms: i64) {
        let middle = asked_ms.midpoint(machine_ms());
        let store_ms = i64::try_from(store_ms).unwrap_or(i64::MAX);
        self.offset_ms
            .store(store_ms.saturating_sub(middle), Ordering::Relaxed);
    }

    /// ms since the Unix epoch, by Redis, give or take a round trip.
    pub(crate) fn now_ms(&self) -> i64 {
        machine_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    /// A new id.
    pub(crate) fn task_id(&self, partition: Partition) -> TaskId {
        TaskId::new(partition, self.unique())
    }

    /// Random bits.
    pub(crate) fn bits(&self) -> u128 {
        rand::random()
    }

    /// Unique, and sorted by time.
    pub(crate) fn unique(&self) -> Ulid {
        let now = u64::try_from(self.now_ms()).unwrap_or(0);
        Ulid::from_parts(now, rand::random())
    }
}

/// ms since the Unix epoch by the clock of this machine.
pub(crate) fn machine_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A secret for a namespace that has none: 32 random bytes in hexadecimal digits.
pub(crate) fn fresh_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new key, with its secret.
pub(crate) fn fresh_key() -> KeyToken {
    KeyToken::draw(&mut rand::rng())
}

/// Any partition, for a task that belongs to no other.
pub(crate) fn any_partition(partitions: u16) -> Partition {
    Partition(rand::random_range(0..partitions.max(1)))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn follows_the_clock_of_redis() {
        let clock = StoreClock::default();
        let machine = machine_ms();
        let ahead = u64::try_from(machine + 300_000).expect("after 1970");
        clock.learn(ahead, machine);
        let seen = clock.now_ms() - machine;
        assert!((299_000..310_000).contains(&seen), "{seen}");
        let id = clock.task_id(Partition(3));
        assert_eq!(id.partition(), Partition(3));
        assert_eq!(id.as_str().parse::<TaskId>(), Ok(id.clone()));
        assert!(id.unique() > &clock_free_id(machine)[..]);
    }

    fn clock_free_id(ms: i64) -> String {
        let ms = u64::try_from(ms).expect("after 1970");
        Ulid::from_parts(ms, 0).to_string().to_ascii_lowercase()
    }
}
