//! Files that spare gates the many requests of a refresh.

use std::collections::HashSet;

use edgegrant::snapshot::{Digest, Encoded, Roots};

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::heads;
use crate::reach;

/// From how many earlier bodies gates may come.
const BODIES: usize = 8;

/// Writes the deltas from the last bodies to a new one that are not there, each where it is clearly
/// shorter than the pack.
pub(super) fn write(folder: &Folder, to: &Encoded) -> Result<(), Failure> {
    let mut seen: Vec<Roots> = vec![to.roots];
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

fn write_one(folder: &Folder, from: &Roots, to: &Encoded, has: &[Digest]) -> Result<(), Failure> {
    let path = folder.delta(from, &to.roots);
    if path.is_file() {
        return Ok(());
    }
    let known: HashSet<&Digest> = has.iter().collect();
    let alike = has.len() == to.parts().count();
    let earlier = |place: usize| {
        let name = has.get(place).filter(|_| alike)?;
        std::fs::read(folder.part(name)).ok()
    };
    let delta = to.delta(|part| known.contains(part), earlier);
    // Three quarters, because what is shared with the body before takes no memory in a gate.
    if delta.len() as u64 / 3 >= to.roots.pack_length / 4 {
        return Ok(());
    }
    folder.serve(&path, &delta)
}
