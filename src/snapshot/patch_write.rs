//! Finding what changed in a part.
//!
//! Greedy: at each byte it takes whatever spares most there and then, from where the last step left
//! off or from wherever the next bytes stood before.

use super::bytes::{put_varint, zigzag};
use super::layout::{NUMBER_BYTES, PATCH_COPY, PATCH_INSERT, PATCH_MOVE, PATCH_SHIFT};

/// A patch that makes `new` of `old`.
pub(super) fn diff(old: &[u8], new: &[u8]) -> Vec<u8> {
    let blocks = Blocks::of(old);
    let mut patch = Patch::new(new.len());
    let (mut at, mut literal) = (0, 0);
    while at < new.len() {
        let rest = new.get(at..).unwrap_or_default();
        let aligned = patch.cursor + (at - literal);
        match best(old, rest, aligned, patch.cursor, &blocks) {
            Some(step) => {
                patch.insert(new.get(literal..at).unwrap_or_default());
                patch.take(&step);
                at += step.bytes;
                literal = at;
            }
            None => at += 1,
        }
    }
    patch.insert(new.get(literal..).unwrap_or_default());
    patch.bytes
}

/// Bytes that can be told by where they stood.
struct Step {
    from: usize,
    bytes: usize,
    /// By how much each number among them is more, if they are not the same.
    by: Option<u32>,
    /// How many bytes it spares, more or less.
    spares: usize,
}

/// What a step costs, what numbers cost beside that, and what a move costs. From elsewhere one has
/// to come back.
const STEP_BYTES: usize = 2;
const NUMBERS_BYTES: usize = 2;
const MOVE_BYTES: usize = 3;

/// The step that spares most: in the place of what was there, behind it, past a number that is no
/// more, or from anywhere.
fn best(old: &[u8], rest: &[u8], aligned: usize, behind: usize, blocks: &Blocks) -> Option<Step> {
    let near = [(aligned, 0), (behind, MOVE_BYTES), (aligned + NUMBER_BYTES, MOVE_BYTES)];
    let far = blocks.find(rest).map(|from| (from, 2 * MOVE_BYTES));
    let steps = near.into_iter().chain(far).flat_map(|(from, way)| {
        let there = old.get(from..).unwrap_or_default();
        let step = move |bytes: usize, by, cost| {
            let spares = bytes.checked_sub(cost + way).filter(|spares| *spares > 1)?;
            Some(Step { from, bytes, by, spares })
        };
        let numbers = shifted(there, rest);
        let shifted = numbers.and_then(|(n, by)| step(n, Some(by), STEP_BYTES + NUMBERS_BYTES));
        [step(alike(there, rest), None, STEP_BYTES), shifted]
    });
    steps.flatten().max_by_key(|step| step.spares)
}

/// How many bytes two begin with alike.
fn alike(old: &[u8], new: &[u8]) -> usize {
    old.iter().zip(new).take_while(|(old, new)| old == new).count()
}

/// How many bytes of numbers are more by the same than the numbers there, and by how much. Nothing
/// in a page moves far, so where it seems so these are no numbers.
fn shifted(old: &[u8], new: &[u8]) -> Option<(usize, u32)> {
    let pairs = || old.as_chunks::<NUMBER_BYTES>().0.iter().zip(new.as_chunks::<NUMBER_BYTES>().0);
    let by = |(old, new): (&_, &_)| number(new).wrapping_sub(number(old)) & 0xff_ffff;
    let first = by(pairs().next()?);
    // Asked before the run is counted, which is done anew for each byte that is not skipped.
    let is_near = first != 0 && first.min(0x100_0000 - first) < 0x1_0000;
    let count = || pairs().take_while(|pair| by(*pair) == first).count();
    is_near.then(|| (count() * NUMBER_BYTES, first))
}

fn number([low, middle, high]: &[u8; NUMBER_BYTES]) -> u32 {
    u32::from_le_bytes([*low, *middle, *high, 0])
}

/// Where blocks of some bytes stand.
struct Blocks {
    places: Vec<u32>,
    shift: u32,
}

const BLOCK_BYTES: usize = 8;

impl Blocks {
    fn of(bytes: &[u8]) -> Self {
        let bits = (bytes.len() * 2).max(2).next_power_of_two().ilog2();
        let mut blocks = Self { places: vec![u32::MAX; 1 << bits], shift: u64::BITS - bits };
        for (at, block) in (0..).zip(bytes.windows(BLOCK_BYTES)) {
            if let Some(place) = blocks.slot(block).and_then(|slot| blocks.places.get_mut(slot)) {
                *place = at;
            }
        }
        blocks
    }

    /// Where the block may stand that some bytes begin with; whoever asks looks whether it does.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        let place = *self.places.get(self.slot(bytes)?)?;
        usize::try_from(place).ok().filter(|_| place != u32::MAX)
    }

    fn slot(&self, bytes: &[u8]) -> Option<usize> {
        let block = u64::from_le_bytes(*bytes.first_chunk::<BLOCK_BYTES>()?);
        // Fibonacci hashing.
        usize::try_from(block.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift).ok()
    }
}

/// A patch while it is written.
struct Patch {
    bytes: Vec<u8>,
    /// Where the reader stands in the base.
    cursor: usize,
}

impl Patch {
    fn new(length: usize) -> Self {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, length as u64);
        Self { bytes, cursor: 0 }
    }

    fn insert(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.put(PATCH_INSERT, bytes.len() as u64);
            self.bytes.extend_from_slice(bytes);
            self.cursor += bytes.len();
        }
    }

    fn take(&mut self, step: &Step) {
        if step.from != self.cursor {
            self.put(PATCH_MOVE, zigzag(step.from as i64 - self.cursor as i64));
        }
        match step.by {
            None => self.put(PATCH_COPY, step.bytes as u64),
            Some(by) => {
                self.put(PATCH_SHIFT, (step.bytes / NUMBER_BYTES) as u64);
                put_varint(&mut self.bytes, u64::from(by));
            }
        }
        self.cursor = step.from + step.bytes;
    }

    fn put(&mut self, kind: u64, count: u64) {
        put_varint(&mut self.bytes, count << 2 | kind);
    }
}
