use chrono::TimeDelta;

use crate::{Amount, Instant};

/// The source of everything random here: fixed by its seed.
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    pub(super) fn within(&mut self, range: std::ops::Range<i64>) -> i64 {
        self.0.i64(range)
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.0.usize(0..from.len())].clone()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// A full minute in `[from, to)`.
    pub(super) fn minute(&mut self, from: Instant, to: Instant) -> Instant {
        let minutes = (to - from).num_minutes().max(1);
        from + TimeDelta::minutes(self.within(0..minutes))
    }

    /// One of `pool`, or any minute in `[from, to)`.
    pub(super) fn moment(&mut self, pool: &[Instant], from: Instant, to: Instant) -> Instant {
        if !pool.is_empty() && self.chance(50) { self.pick(pool) } else { self.minute(from, to) }
    }

    /// Small, round, large or with up to nine digits, and now and then nothing.
    pub(super) fn amount(&mut self) -> Amount {
        let nanos = match self.within(0..20) {
            0 => 0,
            1 => i128::from(self.within(1..1_000_000_000)) * 1_000_000_000,
            2..5 => i128::from(self.within(1..100_000_000_000)),
            5..9 => i128::from(self.within(1..50_000)) * 10_000_000,
            9..12 => 100_000_000_000,
            _ => i128::from(self.within(1..500)) * 1_000_000_000,
        };
        Amount::nanos(nanos)
    }

    /// A part of an amount, exact to nine digits.
    pub(super) fn part(&mut self, amount: Amount) -> Amount {
        Amount::nanos(amount.as_nanos() * i128::from(self.within(1..100)) / 100)
    }
}
