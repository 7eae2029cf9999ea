//! Ages as people type them.

/// Seconds of `90`, `90s`, `5m`, `2h` or `3d`, for the command line.
///
/// # Errors
/// What it should look like.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3600),
        "d" => Some(86400),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    unit.zip(number)
        .and_then(|(unit, number)| number.checked_mul(unit))
        .ok_or_else(|| "is not a number of seconds, or one with a unit: 90s, 5m, 2h, 3d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known() {
        let read = ["90", "90s", "5m", "5min", "2h", "3d"].map(|text| seconds(text).ok());
        let expected = [90, 90, 300, 300, 7200, 259_200].map(Some);
        assert_eq!(read, expected);
        for wrong in ["", "h", "1.5h", "-1", "1w", "99999999999999999999d", "3 h"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
