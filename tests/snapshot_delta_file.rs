//! Deltas in one file: what is in them, and how they are read in chunks.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::collections::BTreeSet;

use edgegrant::error::Error;
use edgegrant::snapshot::{DeltaReader, Digest, Encoded, Settings, encode};
use snapshot_support::{bulky_subjects, features, settings};

/// Two bodies of which the second has some subjects less.
fn two() -> (Encoded, Encoded) {
    let mut subjects = bulky_subjects(300);
    let first = encode(&settings(), &features(12), subjects.clone()).unwrap();
    subjects.truncate(298);
    let previous_page_bits = Some(first.page_bits);
    let second = encode(&Settings { previous_page_bits, ..settings() }, &features(12), subjects);
    (first, second.unwrap())
}

fn delta() -> (Encoded, Vec<u8>) {
    let (first, second) = two();
    let known: BTreeSet<Digest> = first.parts().map(|part| part.digest).collect();
    let file = second.delta(|digest| known.contains(digest), |_| None);
    (second, file)
}

type Parts = Vec<(Digest, Vec<u8>)>;

/// The parts of a file in chunks of a length, and whether it was whole.
fn read(file: &[u8], chunk: usize) -> Result<(Parts, bool), Error> {
    let (mut reader, mut parts) = (DeltaReader::default(), Vec::new());
    for chunk in file.chunks(chunk) {
        reader.feed(chunk, |part| {
            assert!(!part.is_patch);
            parts.push((part.name, part.bytes.to_vec()));
            Ok(())
        })?;
    }
    Ok((parts, reader.is_complete()))
}

#[test]
fn a_delta_has_what_is_new_from_the_catalogue_down_to_the_pages() {
    let (first, second) = two();
    let known: BTreeSet<Digest> = first.parts().map(|part| part.digest).collect();
    let new: Vec<_> = second.parts().filter(|part| !known.contains(&part.digest)).collect();
    assert!((3..=5).contains(&new.len()), "catalogue, root and one or two pages: {}", new.len());
    let (_, file) = delta();
    let (parts, whole) = read(&file, usize::MAX).unwrap();
    assert!(whole);
    let expected: Vec<_> = new.iter().map(|part| (part.digest, part.bytes.clone())).collect();
    assert_eq!(parts, expected);
    assert_eq!(parts[0].0, second.catalogue.digest);
    assert_eq!(parts[1].0, second.roots.root);
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let (_, file) = delta();
    let whole = read(&file, usize::MAX).unwrap();
    for chunk in [1, 2, 3, 35, 36, 37, 1_000, 65_536] {
        assert_eq!(read(&file, chunk).unwrap(), whole, "{chunk}");
    }
}

#[test]
fn fault_B02_a_delta_that_ends_early_is_not_whole() {
    let (_, file) = delta();
    let (parts, _) = read(&file, usize::MAX).unwrap();
    let mut wholes = 0;
    for length in 0..file.len() {
        let (read, whole) = read(&file[..length], usize::MAX).unwrap();
        assert_eq!(read, parts[..read.len()], "{length}");
        wholes += usize::from(whole);
    }
    // The magic alone, and behind every part but the last.
    assert_eq!(wholes, parts.len());
}

#[test]
fn fault_B05_other_files_are_no_deltas() {
    for file in [b"EGD\0".as_slice(), b"EGD\x02", b"<!DOCTYPE html>", b"{\"error\":1}", b"EGB\0"] {
        assert_eq!(read(file, 1).unwrap_err().code(), "delta-malformed");
    }
    // A part longer than any may be is refused before its bytes are waited for.
    let long = |told: u32| [b"EGD\x01".as_slice(), &[7; 32], &told.to_le_bytes()].concat();
    for told in [2 * 1_048_577, 2 * 1_048_577 + 1, u32::MAX] {
        assert_eq!(read(&long(told), 5).unwrap_err().code(), "delta-malformed");
    }
    assert!(read(&long(2 * 1_048_576 + 1), 5).is_ok());
    // What the taker refuses ends the reading.
    let (_, file) = delta();
    let mut reader = DeltaReader::default();
    let refused = Error::new("refused", "");
    assert_eq!(reader.feed(&file, |_| Err(refused.clone())), Err(refused));
}
