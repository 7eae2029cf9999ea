//! How deeply a JSON text is nested, without parsing it.
//!
//! Used before parsing. What is accepted is stored inside further objects and read back by a parser that stops at 128
//! levels, so the limit has to be lower.

/// Most levels of arrays and objects in a request.
pub(super) const MOST_LEVELS: usize = 100;

/// Whether a text nests deeper than allowed. Of a text that is not JSON it says something or other.
pub(super) fn too_deep(text: &[u8]) -> bool {
    let (mut level, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                level += 1;
                if level > MOST_LEVELS {
                    return true;
                }
            }
            b']' | b'}' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_levels_and_not_what_is_in_strings() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!too_deep(nested(MOST_LEVELS).as_bytes()));
        assert!(too_deep(nested(MOST_LEVELS + 1).as_bytes()));
        assert!(!too_deep(format!("[{}1]", "[],".repeat(500)).as_bytes()));
        assert!(!too_deep(format!(r#""\"{}""#, "{".repeat(500)).as_bytes()));
        assert!(too_deep(&[b'{'; 10_000]));
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_depth() {
        let deep = format!("{}{}", "[".repeat(MOST_LEVELS), "]".repeat(MOST_LEVELS));
        let seeds = [deep.as_bytes(), br#"{"a":"\\\"[","b":[[{}]]}"#];
        factorial_fuzz::bytes(&seeds, |bytes| {
            // What is let through is read by the parser, whose own limit is higher.
            if let Err(error) = serde_json::from_slice::<serde_json::Value>(bytes) {
                assert!(
                    too_deep(bytes) || !error.to_string().starts_with("recursion limit"),
                    "{error}"
                );
            }
        });
    }
}
