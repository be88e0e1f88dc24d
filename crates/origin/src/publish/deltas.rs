//! Files that spare gates the many requests of a refresh.

use std::collections::HashSet;

use edgegrant::snapshot::{Digest, Encoded, Roots};

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::heads;
use crate::reach::Reach;

/// From how many earlier bodies gates may come.
const BODIES: usize = 8;

/// Writes the deltas from the last bodies to a new one, each where it spares half of the pack.
pub(super) fn write(folder: &Folder, to: &Encoded) -> Result<(), Failure> {
    let mut seen: Vec<Roots> = vec![to.roots];
    for kept in heads::kept(folder)?.iter().rev() {
        let from = folder::roots(&kept.head);
        if seen.contains(&from) {
            continue;
        }
        seen.push(from);
        let mut reach = Reach::default();
        // Without its parts nobody can say what an earlier body had; gates then ask for parts.
        if reach.add(folder, &kept.head).is_ok() {
            write_one(folder, &from, to, &reach.parts)?;
        }
        if seen.len() > BODIES {
            break;
        }
    }
    Ok(())
}

fn write_one(
    folder: &Folder,
    from: &Roots,
    to: &Encoded,
    has: &HashSet<Digest>,
) -> Result<(), Failure> {
    let bytes: usize =
        to.parts().filter(|part| !has.contains(&part.digest)).map(|part| part.bytes.len()).sum();
    if (bytes as u64).saturating_mul(2) >= to.roots.pack_length {
        return Ok(());
    }
    folder.serve(&folder.delta(from, &to.roots), &to.delta(|part| has.contains(part)))
}
