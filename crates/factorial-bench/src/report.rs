//! What comes out of a run: figures with their spread, and their share of a ceiling.
//!
//! Invariant: the serde form is what `--output json` prints; a field is added, never renamed.

use serde::Serialize;

use crate::aim::{Aim, Reached};
use crate::ceiling::{Ceiling, Limit};
use crate::options::{Options, Target};
use crate::stats::{median, number, percentile};

/// The figures of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// The server and its version.
    pub server: String,
    /// Tasks of a repeat.
    pub tasks: u64,
    /// Calls at once, tasks in flight, or readers of streams.
    pub concurrency: usize,
    /// Partitions of the namespace; of a deployment that is there, unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u16>,
    /// How long each repeat lasted, s, where that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How often it was measured.
    pub repeats: usize,
    /// Bytes of a task's payload.
    pub payload_bytes: usize,
    /// Tasks whose end, or whose place in the queue, was checked one by one, over all repeats.
    pub tasks_checked: u64,
    /// The ceilings, when they were asked for.
    pub ceilings: Vec<Figure>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// One figure over all repeats.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// One a repeat, in order.
    pub values: Vec<f64>,
    /// Name of the ceiling that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<&'static str>,
    /// Median of its shares of that ceiling, each with the one that was measured before the same repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// What it is to reach, and how far its median is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<Reached>,
}

/// One figure of one repeat.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    name: String,
    unit: &'static str,
    value: f64,
    limit: Option<Limit>,
    aim: Option<Aim>,
}

impl Measure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value,
            limit: None,
            aim: None,
        }
    }

    /// Percentiles of times in milliseconds, their names starting with `what`. `aims`: upper bounds of p50 and p99.
    pub(crate) fn times(what: &str, times: &[f64], aims: [Option<f64>; 2]) -> Vec<Self> {
        let [p50, p99] = aims;
        [("p50", 0.5, p50), ("p99", 0.99, p99), ("max", 1.0, None)]
            .into_iter()
            .map(|(name, share, aim)| Self {
                aim: aim.map(Aim::AtMost),
                ..Self::new(format!("{what} {name}"), "ms", percentile(times, share))
            })
            .collect()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// The same, its name starting with that of a part of the scenario.
    pub(crate) fn within(mut self, part: &str) -> Self {
        self.name = format!("{part}: {}", self.name);
        self
    }

    /// To be compared with this aim.
    pub(crate) fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    /// To be compared with this ceiling.
    pub(crate) fn of(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// What one repeat gave.
pub(crate) struct Round {
    pub(crate) ceiling: Option<Ceiling>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) checked: u64,
}

impl Report {
    pub(crate) fn new(options: &Options, server: String, rounds: &[Round]) -> Self {
        let ceilings: Vec<&Ceiling> = rounds.iter().filter_map(|r| r.ceiling.as_ref()).collect();
        let ceilings = Limit::ALL.into_iter().filter_map(|limit| {
            let values: Vec<f64> = ceilings.iter().map(|c| c.rate(limit)).collect();
            (!values.is_empty()).then(|| Figure::new(limit.as_str(), "tasks/s", values))
        });
        Self {
            scenario: options.scenario.as_str(),
            server,
            tasks: options.tasks,
            concurrency: options.concurrency,
            partitions: (!matches!(options.target, Target::Gateway(_)))
                .then_some(options.partitions),
            seconds: options
                .scenario
                .lasts()
                .then_some(options.duration.as_secs_f64()),
            repeats: rounds.len(),
            payload_bytes: options.payload_bytes,
            tasks_checked: rounds.iter().map(|round| round.checked).sum(),
            ceilings: ceilings.collect(),
            figures: figures(rounds),
        }
    }
}

/// By name, in the order of the first repeat.
fn figures(rounds: &[Round]) -> Vec<Figure> {
    let Some(first) = rounds.first() else {
        return Vec::new();
    };
    let figure = |measure: &Measure| {
        let of_round = |round: &Round| -> Option<(f64, Option<f64>)> {
            let found = round.measures.iter().find(|m| m.name == measure.name)?;
            let limit = found.limit.zip(round.ceiling.as_ref());
            let share = limit.map(|(limit, ceiling)| found.value / ceiling.rate(limit).max(1.0));
            Some((found.value, share))
        };
        let (values, shares): (Vec<f64>, Vec<Option<f64>>) =
            rounds.iter().filter_map(of_round).unzip();
        let shares: Vec<f64> = shares.into_iter().flatten().collect();
        let mut figure = Figure::new(&measure.name, measure.unit, values);
        if !shares.is_empty() {
            figure.ceiling = measure.limit.map(Limit::as_str);
            figure.share = Some(median(&shares));
        }
        let aim = measure.aim;
        figure.aim = aim.and_then(|aim| aim.reached(figure.median, figure.share));
        figure
    };
    first.measures.iter().map(figure).collect()
}

impl Figure {
    fn new(name: &str, unit: &'static str, values: Vec<f64>) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let known = !values.is_empty();
        Self {
            name: name.to_owned(),
            unit,
            median: median(&values),
            min: if known { least } else { 0.0 },
            max: if known { most } else { 0.0 },
            values,
            ceiling: None,
            share: None,
            aim: None,
        }
    }

    /// How far apart the repeats are, as a share of the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        if self.median.abs() < f64::EPSILON {
            number(0)
        } else {
            (self.max - self.min) / self.median
        }
    }
}
