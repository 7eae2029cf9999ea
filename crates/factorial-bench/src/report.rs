//! What comes out of a run: figures with their spread, and their share of a ceiling.
//!
//! Invariant: the serde form is what `--output json` prints; a field is added, never renamed.

use serde::Serialize;

use crate::ceiling::{Ceiling, Limit};
use crate::options::Options;
use crate::stats::{median, number};

/// The figures of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// The server and its version.
    pub server: String,
    /// Tasks of a repeat.
    pub tasks: u64,
    /// Calls at once, or tasks in flight.
    pub concurrency: usize,
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
}

/// One figure of one repeat.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    name: String,
    unit: &'static str,
    value: f64,
    limit: Option<Limit>,
}

impl Measure {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value,
            limit: None,
        }
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
