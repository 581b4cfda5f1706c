//! Numbers that look thrown and are not: the same place gives the same throws for ever.

/// The throws of one record.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Takes the dice of the `place`th record of a kind, which `stream` names.
    pub(crate) fn new(stream: &str, place: u64) -> Self {
        // FNV-1a of the name, so that streams differ from their first throw on.
        let name = stream
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(name ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Throws: the next number of SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Gives a number below `bound`; 0 when that is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Gives a number from `least` to `most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Says yes so many times of a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Takes one of `items`.
    ///
    /// # Panics
    ///
    /// There are no items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_throws_the_same_and_another_does_not() {
        let throws = |stream, place| {
            let mut dice = Dice::new(stream, place);
            [(); 4].map(|()| dice.below(1_000_000))
        };
        assert_eq!(throws("lead", 7), throws("lead", 7));
        assert_ne!(throws("lead", 7), throws("lead", 8));
        assert_ne!(throws("lead", 7), throws("case", 7));
    }

    #[test]
    fn throws_keep_their_bounds() {
        let mut dice = Dice::new("bounds", 0);
        assert_eq!(dice.below(0), 0);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&dice.between(3, 5)));
        }
        assert!(!dice.chance(0) && dice.chance(100));
    }
}
