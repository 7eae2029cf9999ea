//! What a figure is to reach, and how far it is.
//!
//! The aims are those of `docs/performance.md`, for the usual size of a scenario. Invariant: a figure has at most one.

use serde::Serialize;

/// A bound that a figure is to keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Not more, in the unit of the figure.
    AtMost(f64),
    /// Not less, in the unit of the figure.
    AtLeast(f64),
    /// Not less than this share of the figure's ceiling.
    ShareAtLeast(f64),
}

/// An aim beside what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The aim.
    pub aim: Aim,
    /// What was measured divided by the aim: above 1 is good where it is a lower bound, below 1 where it is an upper one.
    pub share: f64,
    /// It is kept.
    pub met: bool,
}

impl Aim {
    /// How far a figure is. `None`: it would have to be compared with a ceiling that was not measured.
    pub(crate) fn reached(self, value: f64, of_ceiling: Option<f64>) -> Option<Reached> {
        let (value, bound, is_upper) = match self {
            Self::AtMost(bound) => (value, bound, true),
            Self::AtLeast(bound) => (value, bound, false),
            Self::ShareAtLeast(bound) => (of_ceiling?, bound, false),
        };
        let met = if is_upper {
            value <= bound
        } else {
            value >= bound
        };
        Some(Reached {
            aim: self,
            share: value / bound,
            met,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(aim: Aim, value: f64, of_ceiling: Option<f64>) -> Option<(f64, bool)> {
        aim.reached(value, of_ceiling).map(|r| (r.share, r.met))
    }

    #[test]
    fn bounds_are_kept_from_their_side() {
        assert_eq!(reached(Aim::AtMost(20.0), 10.0, None), Some((0.5, true)));
        assert_eq!(reached(Aim::AtMost(20.0), 30.0, None), Some((1.5, false)));
        assert_eq!(reached(Aim::AtLeast(10.0), 20.0, None), Some((2.0, true)));
        assert_eq!(
            reached(Aim::ShareAtLeast(0.5), 9.0, Some(0.25)),
            Some((0.5, false))
        );
    }

    #[test]
    fn without_its_ceiling_a_share_is_not_judged() {
        assert_eq!(reached(Aim::ShareAtLeast(0.5), 9.0, None), None);
    }
}
