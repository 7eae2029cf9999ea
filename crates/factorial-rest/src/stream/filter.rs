//! Which events of a feed a reader wants.

use factorial_core::{BatchId, Event, FeedEntry, TaskId};

/// Names of one parameter at most.
const MOST: usize = 100;
/// Longest pattern.
const LONGEST_PATTERN: usize = 128;

/// All that is given has to fit.
#[derive(Clone, Debug, Default)]
pub(crate) struct FeedFilter {
    /// Tasks and batches.
    pub(crate) ids: Option<Vec<String>>,
    /// Types of events.
    pub(crate) types: Option<Vec<String>>,
    /// Pattern of such types.
    pub(crate) pattern: Option<Pattern>,
}

impl FeedFilter {
    /// The entry is of a task or batch that is wanted.
    pub(crate) fn wants(&self, entry: &FeedEntry) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&entry.id))
    }

    /// Ids of tasks and batches, separated by commas.
    ///
    /// # Errors
    /// When one is none, or there are too many.
    pub(crate) fn ids(text: &str) -> Result<Vec<String>, String> {
        let known = |id: &str| id.parse::<TaskId>().is_ok() || id.parse::<BatchId>().is_ok();
        names(text, known, "ids of tasks or batches")
    }

    /// Types of events, separated by commas.
    ///
    /// # Errors
    /// When one is none, or there are too many.
    pub(crate) fn types(text: &str) -> Result<Vec<String>, String> {
        let sound =
            |name: &str| !name.is_empty() && name.len() <= 64 && name.bytes().all(is_of_name);
        names(text, sound, "types of events")
    }

    /// The event is of a type that is wanted.
    pub(crate) fn fits(&self, event: &Event) -> bool {
        let name = &event.event_type;
        let listed = self.types.as_ref().is_none_or(|types| types.contains(name));
        listed && self.pattern.as_ref().is_none_or(|p| p.matches(name))
    }
}

fn names(text: &str, sound: impl Fn(&str) -> bool, what: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() <= MOST && names.iter().all(|name| sound(name)) {
        Ok(names)
    } else {
        Err(format!("must be 1 to {MOST} {what}, separated by commas"))
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Names of types with `*` for any characters: `run_*`, `*_completed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Pattern {
    /// # Errors
    /// When it is not one.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let sound = text.bytes().all(|b| is_of_name(b) || b == b'*');
        if text.is_empty() || text.len() > LONGEST_PATTERN || !sound {
            return Err(format!(
                "must be 1 to {LONGEST_PATTERN} of `a-z 0-9 _ *`, with `*` for any characters"
            ));
        }
        Ok(Self(text.split('*').map(str::to_owned).collect()))
    }

    /// Each part is looked for as early as it can be, which is enough where only `*` varies.
    fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == name);
        };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_a_shell_would_say() {
        for (pattern, name, fits) in [
            ("run_*", "run_started", true),
            ("run_*", "batch_started", false),
            ("*_started", "run_started", true),
            ("run_started", "run_started", true),
            ("run_started", "run_started_again", false),
            ("*", "anything", true),
            ("p*turn*ed", "progress_update_run_turn_completed", true),
            ("p*turn*ed", "progress_update_run_turn_complete", false),
            ("a*a", "a", false),
            ("a**a", "aba", true),
        ] {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(name),
                fits,
                "{pattern} {name}"
            );
        }
        for bad in ["", "RUN", "run started", "run_?"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_are_judged_whole() {
        assert_eq!(
            FeedFilter::types("run_started, run_completed")
                .unwrap()
                .len(),
            2
        );
        assert!(FeedFilter::types("").is_err());
        assert!(FeedFilter::types(&"a,".repeat(200)).is_err());
        assert!(FeedFilter::ids("0-01hf7yat000000000000000007,nonsense").is_err());
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_filters_of_events() {
        let seeds = [
            "run_*",
            "*_completed",
            "a*b*c",
            "task_enqueued,run_started",
            "0-01hf7yat000000000000000010, 1-01hf7yat000000000000000011",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            let _ = FeedFilter::ids(text);
            if let Ok(types) = FeedFilter::types(text) {
                assert!((1..=MOST).contains(&types.len()));
            }
            if let Ok(pattern) = Pattern::parse(text) {
                assert!(pattern.matches(&text.replace('*', "")));
                assert!(pattern.matches(&text.replace('*', "xy_1")));
                assert_eq!(pattern.matches("-"), text.bytes().all(|b| b == b'*'));
            }
        });
    }
}
