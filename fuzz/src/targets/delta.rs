//! Deltas, whole and in chunks of any length.

use edgegrant::Error;
use edgegrant::snapshot::{DeltaReader, Digest};

use super::with_mode;
use crate::capped;
use crate::input::Input;
use crate::world::PAGED;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let encoded = &PAGED.encoded;
    let nodes: Vec<Digest> = encoded.nodes.iter().map(|node| node.digest).collect();
    let whole = encoded.delta(|_| false);
    vec![with_mode(7, &whole), with_mode(0, &encoded.delta(|digest| !nodes.contains(digest)))]
}

type Parts = Vec<(Digest, Vec<u8>)>;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let step = usize::from(input.byte()) * 13 + 1;
    let length = input.0.len();
    let whole = capped::reading(length, || read(input.0, length.max(1)));
    let chunked = capped::reading(length, || read(input.0, step));
    assert_eq!(whole, chunked, "chunks of {step} bytes");
    if let Ok((parts, complete)) = whole {
        assert_eq!((parts, complete), independently(input.0));
    }
}

fn read(bytes: &[u8], step: usize) -> Result<(Parts, bool), Error> {
    let mut reader = DeltaReader::default();
    let mut parts = Parts::new();
    for chunk in bytes.chunks(step) {
        reader.feed(chunk, |digest, part| {
            parts.push((digest, part.to_vec()));
            Ok(())
        })?;
    }
    Ok((parts, reader.is_complete()))
}

/// The parts by docs/FORMAT.md, and whether nothing is left over.
fn independently(bytes: &[u8]) -> (Parts, bool) {
    let mut input = Input(bytes);
    let mut parts = Parts::new();
    if input.take(4) != b"EGD\0" {
        return (parts, false);
    }
    while input.0.len() >= 36 {
        let digest = Digest(input.array());
        let length = u32::from_le_bytes(input.array()) as usize;
        if input.0.len() < length {
            return (parts, false);
        }
        parts.push((digest, input.take(length).to_vec()));
    }
    (parts, input.is_empty())
}
