//! Runs a target: a bounded number of cases in a test, or as many as fit into a time.
//!
//! Called by the tests named `fuzz_…` beside each parser of outside input; `cargo xtask fuzz` sets the time. A target fails by
//! panicking, and the smallest input that was found for it is told. Invariant: what was sound is tried first, unchanged.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::change::{Change, change};

/// For how long each target runs, in seconds.
const SECONDS: &str = "FACTORIAL_FUZZ_SECONDS";
/// Cases of a target where no time is given.
const CASES: u32 = 512;
/// Most changes of one input.
const CHANGES: usize = 12;

/// What is tried: a changed seed, or bytes of chance.
#[derive(Clone, Debug)]
enum Plan {
    Changed(Index, Vec<Change>),
    Chance(Vec<u8>),
}

/// Hands the target bytes that resemble the seeds.
///
/// # Panics
/// When the target does, with the smallest such input.
pub fn bytes(seeds: &[&[u8]], target: impl Fn(&[u8])) {
    for seed in seeds {
        target(seed);
    }
    let plans = prop_oneof![
        9 => (any::<Index>(), vec(change(), 1..CHANGES)).prop_map(|(seed, changes)| Plan::Changed(seed, changes)),
        1 => vec(any::<u8>(), 0..256).prop_map(Plan::Chance),
    ];
    let ends = seconds().map(|time| Instant::now() + time);
    let mut cases = 0_u64;
    loop {
        run(seeds, &plans, &target);
        cases += u64::from(CASES);
        if ends.is_none_or(|ends| Instant::now() >= ends) {
            break;
        }
    }
    if ends.is_some() {
        // The test runner names its threads after the tests.
        let thread = thread::current();
        println!("{}: {cases} cases", thread.name().unwrap_or("fuzz"));
    }
}

/// The same with texts; what is no UTF-8 is made to be.
///
/// # Panics
/// When the target does, with the smallest such input.
pub fn texts(seeds: &[&str], target: impl Fn(&str)) {
    let seeds: Vec<&[u8]> = seeds.iter().map(|seed| seed.as_bytes()).collect();
    bytes(&seeds, |bytes| target(&String::from_utf8_lossy(bytes)));
}

#[expect(clippy::panic, reason = "it is how a test fails")]
fn run(seeds: &[&[u8]], plans: &impl Strategy<Value = Plan>, target: impl Fn(&[u8])) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let done = TestRunner::new(config).run(plans, |plan| {
        target(&input(&plan, seeds));
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(reason, plan)) = done {
        let input = input(&plan, seeds);
        panic!(
            "{reason}\nof the input {:?}",
            String::from_utf8_lossy(&input)
        );
    } else if let Err(error) = done {
        panic!("{error}");
    }
}

fn input(plan: &Plan, seeds: &[&[u8]]) -> Vec<u8> {
    match plan {
        Plan::Chance(bytes) => bytes.clone(),
        Plan::Changed(seed, changes) => {
            let mut input = seeds[seed.index(seeds.len())].to_vec();
            for change in changes {
                change.apply(&mut input, seeds);
            }
            input
        }
    }
}

fn seconds() -> Option<Duration> {
    let seconds = env::var(SECONDS).ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    #[expect(clippy::expect_used, reason = "tests")]
    fn a_parser_that_trips_is_found_with_a_small_input() {
        let found = catch_unwind(|| {
            texts(&["key: value"], |text| assert!(!text.contains('"')));
        });
        let said = found.expect_err("an input that it trips over");
        let said = said.downcast_ref::<String>().map_or("", String::as_str);
        assert!(
            said.contains(r#"of the input "#) && said.contains(r#"\""#),
            "{said}"
        );
        assert!(said.len() < 300, "{said}");
    }

    #[test]
    fn what_was_sound_is_tried() {
        let found = catch_unwind(|| texts(&["1", "2"], |text| assert_ne!(text, "2")));
        assert!(found.is_err());
    }
}
