//! Repeatable pseudo-randomness: a hash of the request decides everything that looks like chance.
//!
//! Used by the reply policy and by failure rates. Invariant: the same bytes give the same seed on every
//! machine and in every release, because tests compare replies.

/// Odd constant with well-spread bits (2^64 divided by the golden ratio).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A 64-bit seed that grows by what is mixed into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Mixes bytes in, eight at a time: histories are long and this runs on every request.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut state = self.word(bytes.len() as u64);
        for word in words {
            state = state.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        state.word(u64::from_le_bytes(last))
    }

    /// Mixes one number in.
    pub(crate) const fn word(self, word: u64) -> Self {
        Self((self.0.rotate_left(5) ^ word).wrapping_mul(STEP))
    }

    /// A well-spread number; the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    pub(crate) const fn value(self) -> u64 {
        let mut z = self.0.wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub(crate) const fn below(self, bound: u64) -> u64 {
        match bound {
            0 => 0,
            _ => self.value() % bound,
        }
    }

    /// One of `items`, or `None` of an empty slice.
    pub(crate) fn pick<T>(self, items: &[T]) -> Option<&T> {
        items.get(usize::try_from(self.below(items.len() as u64)).unwrap_or(0))
    }

    /// A number in `[0, 1)`.
    pub(crate) fn fraction(self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.value() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn same_bytes_same_seed_and_neighbours_differ() {
        let seed = Seed::new(1);
        assert_eq!(seed.bytes(b"hello world"), seed.bytes(b"hello world"));
        assert_ne!(seed.bytes(b"hello world"), seed.bytes(b"hello worle"));
        assert_ne!(seed.bytes(b"a"), seed.bytes(b"a\0"));
        assert_ne!(seed.bytes(b"ab").bytes(b"c"), seed.bytes(b"a").bytes(b"bc"));
    }

    #[test]
    fn fractions_are_spread() {
        let below = (0..10_000)
            .filter(|n| Seed::new(7).word(*n).fraction() < 0.3)
            .count();
        assert!((2_800..3_200).contains(&below), "{below}");
    }
}
