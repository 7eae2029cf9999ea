//! Changes of an input that was sound.
//!
//! Used by the runner. Invariant: what comes of a change depends on its numbers and the seeds alone, so a failure can be shrunk.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Texts that parsers of all kinds trip over.
const TOKENS: [&str; 48] = [
    "\0",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "[]",
    "null",
    "true",
    ":",
    ": ",
    ",",
    ".",
    "..",
    "-",
    "_",
    "/",
    "@",
    "*",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "---\n",
    "- ",
    "%00",
    "%",
    "=",
    "#",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "\u{301}",
    "é",
    "🦀",
    "0",
    "-1",
    "1e400",
    "18446744073709551616",
    "9223372036854775808",
];
/// Longest input that changes make, in bytes; a seed may be longer.
const LONGEST: usize = 64 * 1024;

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Insert(Index, &'static str),
    Byte(Index, u8),
    Remove(Index, Index),
    /// A part, so many times more.
    Repeat(Index, Index, usize),
    /// The rest is that of another seed, from there on.
    Splice(Index, Index, Index),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), select(&TOKENS[..])).prop_map(|(at, token)| Change::Insert(at, token)),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        3 => (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
        2 => (at(), at(), prop_oneof![4 => 1..4_usize, 1 => 50..400_usize])
            .prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        2 => (at(), at(), at()).prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
    ]
}

impl Change {
    pub(crate) fn apply(&self, input: &mut Vec<u8>, seeds: &[&[u8]]) {
        let place = |at: &Index, length: usize| at.index(length + 1);
        let range = |from: &Index, to: &Index, length| {
            let (from, to) = (place(from, length), place(to, length));
            from.min(to)..from.max(to)
        };
        match self {
            Self::Insert(at, token) => {
                let at = place(at, input.len());
                input.splice(at..at, token.bytes());
            }
            Self::Byte(at, byte) => {
                if !input.is_empty() {
                    let at = at.index(input.len());
                    input[at] = *byte;
                }
            }
            Self::Remove(from, to) => {
                input.drain(range(from, to, input.len()));
            }
            Self::Repeat(from, to, times) => {
                let range = range(from, to, input.len());
                let most = LONGEST.saturating_sub(input.len()) / range.len().max(1);
                let more = input[range.clone()].repeat((*times).min(most));
                input.splice(range.end..range.end, more);
            }
            Self::Splice(at, seed, from) => {
                let seed = seeds[seed.index(seeds.len())];
                input.truncate(place(at, input.len()));
                input.extend_from_slice(&seed[place(from, seed.len())..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;

    use super::*;

    proptest! {
        #[test]
        fn inputs_stay_bounded(changes in vec(change(), 0..40)) {
            let seeds: [&[u8]; 2] = [b"{\"a\":1}", b""];
            let mut input = seeds[0].to_vec();
            for change in &changes {
                change.apply(&mut input, &seeds);
            }
            prop_assert!(input.len() <= LONGEST + 40 * 32);
        }
    }
}
