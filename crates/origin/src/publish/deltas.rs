//! Files that spare gates the many requests of a refresh.

use std::collections::HashSet;

use edgegrant::snapshot::{DeltaWriter, Digest, Roots};

use super::body::Body;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::heads;
use crate::reach;

/// From how many earlier bodies gates may come.
const BODIES: usize = 8;

/// Writes the deltas from the last bodies to a new one that are not there, each where it is clearly
/// shorter than the pack.
pub(super) fn write(folder: &Folder, to: &Body) -> Result<(), Failure> {
    let mut seen: Vec<Roots> = vec![*to.roots()];
    for kept in heads::kept(folder)?.iter().rev() {
        let from = folder::roots(&kept.head);
        if seen.contains(&from) {
            continue;
        }
        seen.push(from);
        // Without its parts nobody can say what an earlier body had; gates then ask for parts.
        if let Ok(names) = reach::names(folder, &kept.head) {
            write_one(folder, &from, to, &names)?;
        }
        if seen.len() > BODIES {
            break;
        }
    }
    Ok(())
}

fn write_one(folder: &Folder, from: &Roots, to: &Body, has: &[Digest]) -> Result<(), Failure> {
    let path = folder.delta(from, to.roots());
    if path.is_file() {
        return Ok(());
    }
    let known: HashSet<&Digest> = has.iter().collect();
    let alike = has.len() == to.parts();
    let mut delta = DeltaWriter::default();
    for ((name, read), place) in to.named().zip(0..) {
        if known.contains(&name) {
            continue;
        }
        let earlier = has.get(place).filter(|_| alike);
        let earlier = earlier.and_then(|name| std::fs::read(folder.part(name)).ok());
        delta.put(&name, &read()?, earlier.as_deref());
        // Three quarters, because what is shared with the body before takes no memory in a gate.
        if delta.bytes().len() as u64 / 3 >= to.roots().pack_length / 4 {
            return Ok(());
        }
    }
    folder.serve(&path, delta.bytes())
}
