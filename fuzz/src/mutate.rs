//! Changes to bytes, for runs without libFuzzer.

use fastrand::Rng;

const INTERESTING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x18, 0x40, 0x20];

/// A few changes to one of the seeds.
#[must_use]
pub fn mutant(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..1 + rng.usize(..4) {
        change(&mut bytes, seeds, rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(..=bytes.len());
    let end = (at + rng.usize(..16)).min(bytes.len());
    match (rng.u8(..8), bytes.get_mut(at)) {
        (0, Some(byte)) => *byte ^= 1 << rng.u8(..8),
        (1, Some(byte)) => *byte = INTERESTING[rng.usize(..INTERESTING.len())],
        (2, Some(byte)) => *byte = byte.wrapping_add(rng.u8(..)),
        (3, _) => drop(bytes.drain(at..end)),
        (4, _) => bytes.insert(at, rng.u8(..)),
        (5, _) => {
            let copy = bytes[at..end].to_vec();
            let to = rng.usize(..=bytes.len());
            bytes.splice(to..to, copy);
        }
        (6, _) => {
            let other = rng.choice(seeds).map_or(&[][..], Vec::as_slice);
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(at..).unwrap_or_default());
        }
        (_, _) => bytes[at..end].fill(INTERESTING[rng.usize(..INTERESTING.len())]),
    }
}
