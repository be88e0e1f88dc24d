//! Bytes that were changed on their way, and bytes that are signed and make no sense.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::path::Path;

use edgegrant::error::Error;
use edgegrant::gate::unbundle;
use edgegrant::snapshot::{Body, DeltaReader, Encoded, Roots, Slice, encode};
use edgegrant::trust::read_unverified;
use snapshot_support::independent::{pack, pack_with_nodes, page_bytes};
use snapshot_support::random::Random;
use snapshot_support::{features, settings, usage_as_of};

fn random_subjects(count: usize) -> Encoded {
    let random = &mut Random(11);
    let features = features(4);
    let subjects = (0..count).map(|number| random.subject(number, &features)).collect();
    encode(&settings(), &features, subjects).unwrap()
}

/// One page with everything that a page can hold.
fn small() -> Encoded {
    let encoded = random_subjects(6);
    assert_eq!(encoded.page_bits, 0);
    encoded
}

fn read(pack: Vec<u8>, roots: &Roots) -> Result<(), Error> {
    Body::open(pack, roots, usage_as_of())?.verify()
}

#[test]
fn fault_B01_nothing_is_no_part() {
    let encoded = small();
    assert_eq!(read(Vec::new(), &encoded.roots).unwrap_err().code(), "snapshot-length");
    let roots = Roots { pack_length: 0, ..encoded.roots };
    assert_eq!(read(Vec::new(), &roots).unwrap_err().code(), "snapshot-format");
    assert!(resigned(&encoded, |catalogue, _| catalogue.clear()).is_err());
    assert_eq!(refusal(|page| page.truncate(32)), "snapshot-bounds");
    assert_eq!(Slice::read(&[]).err().unwrap().code(), "slice-malformed");
}

#[test]
fn fault_B02_a_pack_cut_anywhere_is_refused() {
    let encoded = small();
    let pack = encoded.pack();
    read(pack.clone(), &encoded.roots).unwrap();
    for length in 0..pack.len() {
        let error = read(pack[..length].to_vec(), &encoded.roots).unwrap_err();
        assert_eq!(error.code(), "snapshot-length");
        // Also when the length is as the head says.
        let roots = Roots { pack_length: length as u64, ..encoded.roots };
        read(pack[..length].to_vec(), &roots).unwrap_err();
    }
}

#[test]
fn fault_B04_bytes_behind_a_pack_are_refused() {
    let encoded = small();
    let pack = encoded.pack();
    let longer = [pack.as_slice(), b"x"].concat();
    assert_eq!(read(longer.clone(), &encoded.roots).unwrap_err().code(), "snapshot-length");
    let roots = Roots { pack_length: longer.len() as u64, ..encoded.roots };
    read(longer, &roots).unwrap_err();
}

#[test]
fn fault_B03_a_pack_with_one_changed_bit_is_refused() {
    let encoded = small();
    let pack = encoded.pack();
    for bit in 0..pack.len() * 8 {
        let mut changed = pack.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(read(changed, &encoded.roots).is_err(), "bit {bit}");
    }
}

/// Each part on its own, as a gate that fetches parts sees them: catalogue, nodes and pages.
#[test]
fn fault_B03_parts_that_were_swapped_or_cut_are_refused() {
    let encoded = random_subjects(24);
    assert!(encoded.page_bits > 0, "there is a node");
    let nodes: Vec<Vec<u8>> = encoded.nodes.iter().map(|node| node.bytes.clone()).collect();
    let pages = page_bytes(&encoded);
    let with = |catalogue: &[u8], nodes: &[Vec<u8>], pages: &[Vec<u8>]| {
        let pack = pack_with_nodes(catalogue, nodes, pages);
        let roots = Roots { pack_length: pack.len() as u64, ..encoded.roots };
        read(pack, &roots)
    };
    let catalogue = &encoded.catalogue.bytes;
    with(catalogue, &nodes, &pages).unwrap();
    for length in 0..catalogue.len() {
        with(&catalogue[..length], &nodes, &pages).unwrap_err();
    }
    for (index, page) in pages.iter().enumerate() {
        for length in 0..page.len() {
            let mut pages = pages.clone();
            pages[index].truncate(length);
            with(catalogue, &nodes, &pages).unwrap_err();
        }
    }
    let mut swapped = pages.clone();
    swapped.swap(0, 1);
    with(catalogue, &nodes, &swapped).unwrap_err();
    for bit in 0..nodes[0].len() * 8 {
        let mut nodes = nodes.clone();
        nodes[0][bit / 8] ^= 1 << (bit % 8);
        with(catalogue, &nodes, &pages).unwrap_err();
    }
    let mut cut = nodes.clone();
    cut[0].pop();
    with(catalogue, &cut, &pages).unwrap_err();
}

#[test]
fn fault_B05_other_files_are_refused() {
    let encoded = small();
    let json = b"{\"error\":\"not found\"}".to_vec();
    let gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mark = [b"\xef\xbb\xbf".as_slice(), &encoded.pack()].concat();
    for bytes in [Vec::new(), json, gzip, mark, b"<!DOCTYPE html><html>".to_vec()] {
        let roots = Roots { pack_length: bytes.len() as u64, ..encoded.roots };
        assert_eq!(read(bytes, &roots).unwrap_err().code(), "snapshot-format");
    }
}

/// The bad files of another format, where they stand beside the repository, in the place of each of
/// ours.
#[test]
fn fault_B05_files_of_another_format_are_refused() {
    let encoded = small();
    let mut files = vec![b"\xab\xcd\xefMaxMind.com".to_vec()];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/mmdb/bad-data");
    for folder in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            if file.path().extension().is_some_and(|extension| extension == "mmdb") {
                files.push(std::fs::read(file.path()).unwrap());
            }
        }
    }
    println!("{} files", files.len());
    for bytes in files {
        assert!(read_unverified(&bytes).is_err());
        assert_eq!(Slice::read(&bytes).err().unwrap().code(), "slice-malformed");
        assert_eq!(unbundle(bytes.clone()).unwrap_err().code(), "bundle-malformed");
        assert!(DeltaReader::default().feed(&bytes, |_| Ok(())).is_err());
        let roots = Roots { pack_length: bytes.len() as u64, ..encoded.roots };
        assert_eq!(read(bytes.clone(), &roots).unwrap_err().code(), "snapshot-format");
        let catalogue = resigned(&encoded, |catalogue, _| catalogue.clone_from(&bytes));
        assert_eq!(catalogue.err().unwrap().code(), "snapshot-format");
        // A page of right length, so that more than its length is looked at.
        let length = bytes.len().max(32);
        let page = [bytes.as_slice(), &vec![0; length - bytes.len()]].concat();
        assert!(resigned(&encoded, |_, pages| pages[0] = page).and_then(|b| b.verify()).is_err());
    }
}

/// Signed again after the change, so that what stands behind the digests is met.
fn resigned(
    encoded: &Encoded,
    change: impl FnOnce(&mut Vec<u8>, &mut Vec<Vec<u8>>),
) -> Result<Body, Error> {
    let (mut catalogue, mut pages) = (encoded.catalogue.bytes.clone(), page_bytes(encoded));
    change(&mut catalogue, &mut pages);
    let (pack, roots) = pack(&catalogue, &pages);
    Body::open(pack, &roots, usage_as_of())
}

/// The code with which a page is refused that is signed and was changed.
fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> &'static str {
    let body = resigned(&small(), |_, pages| change(&mut pages[0]));
    body.and_then(|body| body.verify()).unwrap_err().code()
}

// Offsets of docs/FORMAT.md, counted from the start of the page file.
const MAGIC: usize = 32;
const PEPPER: usize = 36;
const BITS: usize = 52;
const INDEX: usize = 53;
const COUNTS: usize = 57;
const FEATURES: usize = 67;

fn count(page: &[u8], index: usize) -> usize {
    usize::from(u16::from_le_bytes(page[COUNTS + 2 * index..][..2].try_into().unwrap()))
}

#[test]
fn signed_pages_without_sense_are_refused() {
    assert_eq!(refusal(|page| page[MAGIC + 3] = 2), "snapshot-format");
    assert_eq!(refusal(|page| page[PEPPER] ^= 1), "snapshot-misplaced");
    assert_eq!(refusal(|page| page[BITS] ^= 1), "snapshot-misplaced");
    assert_eq!(refusal(|page| page[INDEX] ^= 1), "snapshot-misplaced");
    assert_eq!(refusal(|page| page[0] ^= 1), "snapshot-digest");
    // More records than the page has room for.
    assert_eq!(refusal(|page| page[COUNTS + 8..][..2].fill(0xff)), "snapshot-bounds");
    assert_eq!(refusal(|page| page.truncate(70)), "snapshot-bounds");
    assert_eq!(refusal(|page| page.push(0)), "snapshot-bounds");
    // The first feature twice.
    assert_eq!(
        refusal(|page| page.copy_within(FEATURES..FEATURES + 8, FEATURES + 8)),
        "snapshot-order"
    );
    assert_eq!(refusal(|page| page[FEATURES] ^= 1), "feature-undeclared");
    // A record under a hash that nobody looks for.
    let slots = |page: &[u8]| FEATURES + 8 * count(page, 0);
    assert_eq!(
        refusal(|page| {
            let at = slots(page);
            page[at] ^= 1;
        }),
        "snapshot-misplaced"
    );
    // An item that ends before it starts.
    let ends = move |page: &[u8]| slots(page) + 2 * count(page, 4);
    assert_eq!(
        refusal(|page| {
            let at = ends(page);
            page[at..at + 3].copy_from_slice(&[0xff; 3]);
        }),
        "snapshot-bounds"
    );
}

#[test]
fn signed_pages_with_random_changes_are_refused_or_answer() {
    let encoded = small();
    let random = &mut Random(3);
    let subjects = |body: &Body| -> Vec<_> {
        body.subjects().map(|subject| subject.unwrap().to_record().unwrap()).collect()
    };
    let expected = subjects(&resigned(&encoded, |_, _| ()).unwrap());
    let mut refused = 0;
    for _ in 0..1_500 {
        let body = resigned(&encoded, |_, pages| {
            let page = &mut pages[0];
            for _ in 0..=random.below(3) {
                let at = 32 + random.below(page.len() as u64 - 32) as usize;
                match random.below(4) {
                    0 => page[at] ^= 1 << random.below(8),
                    1 => page[at] = random.next() as u8,
                    2 => page[at] = 0xff,
                    _ => {
                        page.remove(at);
                    }
                }
            }
        });
        let Ok(body) = body else {
            refused += 1;
            continue;
        };
        match body.verify() {
            // What is accepted says nothing else: an alias may lead elsewhere, or nothing changed.
            Ok(()) => assert_eq!(subjects(&body), expected),
            Err(_) => refused += 1,
        }
        for subject in body.subjects().flatten() {
            for (feature, entry) in subject.entries() {
                let _answers = (entry.outline(), entry.program(), entry.grant_ids(&feature));
            }
        }
    }
    assert!(refused > 1_400, "{refused}");
}

#[test]
fn signed_catalogues_with_random_changes_are_refused_or_answer() {
    let encoded = small();
    let random = &mut Random(4);
    for _ in 0..1_500 {
        let mut catalogue = encoded.catalogue.bytes.clone();
        let at = random.below(catalogue.len() as u64) as usize;
        catalogue[at] = random.next() as u8;
        let (pack, roots) = pack(&catalogue, &page_bytes(&encoded));
        if let Ok(body) = Body::open(pack, &roots, usage_as_of()) {
            let _answer = body.verify();
            assert!(body.catalogue().features().count() <= 4);
        }
    }
}
