//! A body on its way into a folder.

use edgegrant::snapshot::{Encoded, Part};

use super::deltas;
use crate::failure::Failure;
use crate::folder::Folder;

/// Writes what the folder does not have, what is named before what names it, and says how many
/// parts that were.
pub(super) fn write(folder: &Folder, encoded: &Encoded) -> Result<usize, Failure> {
    let mut written = 0;
    for part in encoded.parts().rev() {
        written += usize::from(write_part(folder, part)?);
    }
    let pack = folder.pack(&encoded.roots);
    let length = std::fs::metadata(&pack).map(|metadata| metadata.len()).ok();
    // Also where every part was there: a body may come back, from others than before.
    deltas::write(folder, encoded)?;
    let complete = written == 0 && length == Some(encoded.roots.pack_length);
    if encoded.roots.has_pack() && !complete {
        folder.serve(&pack, &encoded.pack())?;
    }
    Ok(written)
}

/// Writes a part unless it is there. The name is the digest of the content, so only a fault of the
/// disk can have left something else.
fn write_part(folder: &Folder, part: &Part) -> Result<bool, Failure> {
    let path = folder.part(&part.digest);
    if std::fs::read(&path).is_ok_and(|bytes| bytes == part.bytes) {
        return Ok(false);
    }
    folder.serve(&path, &part.bytes)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use edgegrant::Instant;
    use edgegrant::snapshot::{Settings, encode};

    use super::*;

    #[test]
    fn a_body_that_fits_into_no_file_is_written_in_parts() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("out"));
        folder.make().unwrap();
        let usage_as_of = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        let settings = Settings { seed: [7; 32], usage_as_of, previous_page_bits: Some(2) };
        let mut encoded = encode(&settings, &[], Vec::new()).unwrap();
        encoded.roots.pack_length = 1 << 32;
        let written = write(&folder, &encoded).unwrap();
        assert_eq!(written, encoded.parts().count());
        assert_eq!(std::fs::read_dir(folder.packs()).unwrap().count(), 0);
        assert_eq!(write(&folder, &encoded).unwrap(), 0, "nothing is missing");
    }
}
