//! Which behaviour applies to a request, and whether its fault strikes.
//!
//! Asked once a request. A header wins over a directive, that over what was installed, and that over the configuration.
//! Invariant: the outcome depends on the order of the requests and on seeds, never on a clock or on chance.

use std::collections::{HashMap, VecDeque};

use crate::behaviour::{Behaviour, Fault, ReplyKind};
use crate::seed::Seed;

/// Conversations whose requests are counted; beyond it all counts start again.
const MAX_COUNTED: usize = 100_000;

/// What a request brings along.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) header: Option<&'a Behaviour>,
    pub(crate) directive: Option<&'a Behaviour>,
    pub(crate) kind: ReplyKind,
    pub(crate) text: &'a str,
    /// Hash of the conversation.
    pub(crate) seed: Seed,
}

/// What is to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) latency_ms: u64,
    pub(crate) token_delay_ms: u64,
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug)]
struct Installed {
    behaviour: Behaviour,
    /// Requests that it has applied to.
    served: u64,
}

#[derive(Debug)]
pub(super) struct Schedule {
    base: Installed,
    /// Tried in order; the first that applies is used.
    installed: VecDeque<Installed>,
    /// Requests with the same conversation that brought a behaviour along.
    counted: HashMap<Seed, u64>,
}

impl Schedule {
    pub(super) fn new(base: Behaviour) -> Self {
        Self {
            base: Installed {
                behaviour: base,
                served: 0,
            },
            installed: VecDeque::new(),
            counted: HashMap::new(),
        }
    }

    /// Replaces what was installed.
    pub(super) fn install(&mut self, behaviours: Vec<Behaviour>) {
        self.installed = behaviours
            .into_iter()
            .map(|behaviour| Installed {
                behaviour,
                served: 0,
            })
            .collect();
    }

    pub(super) fn reset(&mut self) {
        self.installed.clear();
        self.counted.clear();
        self.base.served = 0;
    }

    pub(super) fn decide(&mut self, source: &Source<'_>) -> Verdict {
        let brought = source
            .header
            .into_iter()
            .chain(source.directive)
            .find(|behaviour| behaviour.applies_to(source.kind, source.text));
        let (behaviour, number, seed) = if let Some(behaviour) = brought {
            if self.counted.len() >= MAX_COUNTED {
                self.counted.clear();
            }
            let count = self.counted.entry(source.seed).or_insert(0);
            let number = *count;
            *count += 1;
            (behaviour, number, source.seed)
        } else {
            self.installed.retain(|entry| {
                entry
                    .behaviour
                    .requests
                    .is_none_or(|limit| entry.served < limit)
            });
            let entry = self
                .installed
                .iter_mut()
                .find(|entry| entry.behaviour.applies_to(source.kind, source.text))
                .unwrap_or(&mut self.base);
            let number = entry.served;
            entry.served += 1;
            (&entry.behaviour, number, Seed::new(0))
        };
        let strikes = behaviour.fail_first.is_none_or(|first| number < first)
            && behaviour
                .failure_rate
                .is_none_or(|rate| seed.word(behaviour.seed).word(number).fraction() < rate);
        let fault = behaviour.fault.clone().filter(|_| strikes);
        let (latency, delay) = (behaviour.latency_ms, behaviour.token_delay_ms);
        let base = &self.base.behaviour;
        Verdict {
            latency_ms: latency.or(base.latency_ms).unwrap_or(0),
            token_delay_ms: delay.or(base.token_delay_ms).unwrap_or(0),
            fault,
        }
    }
}
