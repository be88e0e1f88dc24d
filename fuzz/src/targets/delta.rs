//! Deltas, whole and in chunks of any length: as they are read, and as they refresh a gate.

use edgegrant::gate::{Clock, Gate, Origin};
use edgegrant::snapshot::{DeltaPart, DeltaReader, Digest, Encoded, patched};
use edgegrant::{Error, gate};

use super::with_mode;
use crate::capped;
use crate::input::Input;
use crate::signed::{load, options, signed_head};
use crate::support::patches;
use crate::world::{LATER, PAGED};

/// What a patch may make of a few bytes.
const PART_BYTES_MAX: usize = gate::PART_BYTES_MAX as usize;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let encoded = &PAGED.encoded;
    let nodes: Vec<Digest> = encoded.nodes.iter().map(|node| node.digest).collect();
    let whole = encoded.delta(|_| false, |_| None);
    let without_nodes = encoded.delta(|digest| !nodes.contains(digest), |_| None);
    let parts: Vec<_> = encoded.parts().collect();
    let has = |name: &Digest| parts.iter().any(|part| part.digest == *name);
    let patches = LATER.encoded.delta(has, |place| Some(parts[place].bytes.clone()));
    assert!(read(&patches, 100).unwrap().0.iter().any(|part| part.is_patch));
    let few = [1, 0, 255].map(|step| with_mode(step, &patches));
    [with_mode(7, &whole), with_mode(0, &without_nodes)].into_iter().chain(few).collect()
}

/// A part as it was told.
#[derive(Debug, PartialEq)]
struct Told {
    name: Digest,
    bytes: Vec<u8>,
    is_patch: bool,
}

type Parts = Vec<Told>;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let step = usize::from(input.byte()) * 13 + 1;
    let length = input.0.len();
    let whole = capped::reading(length, || read(input.0, length.max(1)));
    let chunked = capped::reading(length, || read(input.0, step));
    assert_eq!(whole, chunked, "chunks of {step} bytes");
    let Ok((parts, complete)) = whole else { return };
    let again = independently(input.0);
    assert_eq!((&parts, complete), (&again.0, again.1));
    for part in parts.iter().filter(|part| part.is_patch) {
        for page in &PAGED.encoded.pages {
            let made =
                capped::reading(length + PART_BYTES_MAX, || patched(&page.bytes, &part.bytes));
            assert_eq!(made, patches::apply(&page.bytes, &part.bytes));
        }
    }
    let mut gate = Gate::new(options());
    load(&mut gate, &PAGED.encoded.roots, 1, &PAGED.encoded.pack()).unwrap();
    let refreshed =
        capped::reading(length + 8 * PART_BYTES_MAX, || refresh(&mut gate, input.0, step));
    while gate.settle() {}
    let present = if refreshed == Ok(true) { &LATER.encoded } else { &PAGED.encoded };
    assert!(pack(&gate) == present.pack(), "all of one or of the other");
}

fn read(bytes: &[u8], step: usize) -> Result<(Parts, bool), Error> {
    let mut reader = DeltaReader::default();
    let mut parts = Parts::new();
    for chunk in bytes.chunks(step) {
        reader.feed(chunk, |DeltaPart { name, bytes, is_patch }| {
            parts.push(Told { name, bytes: bytes.to_vec(), is_patch });
            Ok(())
        })?;
    }
    Ok((parts, reader.is_complete()))
}

/// Whether a file was all that a refresh needs.
fn refresh(gate: &mut Gate, file: &[u8], step: usize) -> Result<bool, Error> {
    let Encoded { roots, .. } = &LATER.encoded;
    gate.offer(&signed_head(roots, 2), Clock::Untrusted, Origin::Network)?;
    let mut stream = gate.stream(true)?;
    for chunk in file.chunks(step) {
        gate.feed(&mut stream, chunk)?;
    }
    stream.finish()?;
    gate.swap()
}

fn pack(gate: &Gate) -> Vec<u8> {
    gate.remains().unwrap().pack().unwrap().iter().collect::<Vec<_>>().concat()
}

/// The parts by docs/FORMAT.md, and whether nothing is left over.
fn independently(bytes: &[u8]) -> (Parts, bool) {
    let mut input = Input(bytes);
    let mut parts = Parts::new();
    if input.take(4) != patches::MAGIC {
        return (parts, false);
    }
    while input.0.len() >= 36 {
        let name = Digest(input.array());
        let told = u32::from_le_bytes(input.array()) as usize;
        if input.0.len() < told / 2 {
            return (parts, false);
        }
        parts.push(Told { name, bytes: input.take(told / 2).to_vec(), is_patch: told % 2 == 1 });
    }
    (parts, input.is_empty())
}
