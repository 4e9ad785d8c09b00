//! Seeded pseudo-random numbers (SplitMix64), so that a failed run can be repeated from its printed seed.
//! For test data and test timing only; nothing secret may come from here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A stream of numbers that depends on nothing but its seed.
pub struct Random(u64);

impl Random {
    /// The stream of a number.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of a name: the same text gives the same stream everywhere.
    pub fn named(name: &str) -> Self {
        let start = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(start)
    }

    /// A seed from the clock, for runs that are to differ.
    pub fn fresh_seed() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from `low` up to but not including `high` (`low` when the range is empty).
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high.saturating_sub(low).max(1) as u64)) as usize
    }

    /// A time span from `low` to `high` milliseconds.
    pub fn millis(&mut self, low: usize, high: usize) -> Duration {
        Duration::from_millis(self.between(low, high) as u64)
    }

    /// `count` bytes that do not compress.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn one_seed_gives_one_stream() {
        assert_eq!(Random::new(7).bytes(100), Random::new(7).bytes(100));
        assert_ne!(Random::named("a").bytes(100), Random::named("b").bytes(100));
    }

    #[test]
    fn between_stays_in_its_range() {
        let mut random = Random::new(3);
        assert!((0..1000).all(|_| (5..9).contains(&random.between(5, 9))));
        assert_eq!(random.between(4, 4), 4);
    }
}
