//! Synthetic data: facts of any size, and OpenMeter exports to try importing with.
//!
//! The same seed gives the same bytes. Each subject draws from a stream of its own, so that subject
//! 7 of ten is subject 7 of a million.

mod export;
mod facts;
mod product;

pub use export::{Export, ledgers, write_export};
pub use facts::{Facts, GrantIds, facts};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use ulid::Ulid;

/// A subject's source of chance.
#[derive(Debug)]
struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64, subject: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(subject);
        Self(generator)
    }

    /// A number below `sides`, evenly enough for data that nobody gambles with.
    fn below(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides.max(1)
    }

    /// True once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().unwrap_or(otherwise)
    }

    /// An id as OpenMeter makes them: a time and eighty random bits.
    fn ulid(&mut self, at: edgegrant::Instant) -> String {
        let random = u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64());
        Ulid::from_parts(at.millis().unsigned_abs(), random).to_string()
    }
}
