//! Instants and durations for people.

use std::time::Duration;

use factorial_api::Time;

/// How long ago `then` was, or how long it is until then: `3 s ago`, `in 5 min`.
pub(crate) fn age(then: Time, now: Time) -> String {
    let millis = now.as_millis().saturating_sub(then.as_millis());
    let text = rough(Duration::from_millis(millis.unsigned_abs()));
    match millis {
        -999..=999 => "now".to_owned(),
        1000.. => format!("{text} ago"),
        _ => format!("in {text}"),
    }
}

/// In the largest unit that fits.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

/// A measured duration: `12 ms`, `3.4 s`, `2 min 5 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let (millis, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_well() {
        let at = |seconds: i64| age(Time::from_millis(0), Time::from_millis(seconds * 1000));
        assert_eq!(at(0), "now");
        assert_eq!(at(3), "3 s ago");
        assert_eq!(at(150), "2 min ago");
        assert_eq!(at(7200), "2 h ago");
        assert_eq!(at(10 * 86400), "10 d ago");
        assert_eq!(at(-30), "in 30 s");
    }

    #[test]
    fn durations_read_well() {
        let of = |millis| duration(Duration::from_millis(millis));
        assert_eq!(of(12), "12 ms");
        assert_eq!(of(3_420), "3.4 s");
        assert_eq!(of(125_000), "2 min 5 s");
        assert_eq!(of(7_260_000), "2 h 1 min");
    }
}
