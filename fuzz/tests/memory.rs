//! What reading takes, where somebody announces or sends much. One test, because the allocator
//! counts for all threads.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

#[path = "../../tests/snapshot_support/mod.rs"]
mod support;

use edgegrant::snapshot::{Body, Roots};
use edgegrant::trust::read_unverified;
use edgegrant_fuzz::capped;
use support::assemble::{Parts, catalogue};
use support::crafted::{BOOLEAN, declared, metered, open_page, subject, with_shape};
use support::independent::pack;
use support::{Own, SEED, encode_planned, usage_as_of};

/// What is announced costs nothing before it is there, and what is twice as long costs twice as
/// much.
#[test]
fn fault_B11_B20_memory_follows_the_bytes() {
    let mut features = declared();
    features.splice(64..68, [0xff; 4]);
    for catalogue in [features, catalogue(&SEED, 24, &[], &[])] {
        let (bytes, roots) = pack(&catalogue, &[Parts::default().page(&SEED, 0, 0)]);
        refused_within_the_base(bytes, &roots);
    }
    // A catalogue, a page and a record that announce more than there is.
    let (mut bytes, roots) = pack(&declared(), &[with_shape(BOOLEAN, &[]).page(&SEED, 0, 0)]);
    bytes.splice(4..8, [0xff; 4]);
    refused_within_the_base(bytes, &roots);
    let grants = [&metered(&[])[..11], &[0xff, 0x1f]].concat();
    let acme = subject(b"acme");
    let mut page = with_shape(&grants, &[&acme]).page(&SEED, 0, 0);
    assert!(capped::reading(0, || open_page(&declared(), page.clone())).is_err());
    page.splice(57..67, [0xff; 10]);
    assert!(capped::reading(0, || open_page(&declared(), page)).is_err());
    let head = [0xd8, 98, 0x84, 0x40, 0xa0, 0x5a, 0xff, 0xff, 0xff, 0xff];
    assert!(capped::reading(0, || read_unverified(&head)).is_err());

    for subjects in [1_000, 2_000] {
        let encoded = encode_planned(subjects, Own::Anchors);
        let bytes = encoded.pack();
        let opened = || Body::open(&bytes, &encoded.roots, usage_as_of());
        let body = capped::reading(bytes.len() / 32, opened).unwrap();
        let read = || body.subjects().map(|subject| subject.unwrap().entries().count()).sum();
        assert_eq!(capped::reading::<usize>(0, read), 10 * subjects);
    }
}

fn refused_within_the_base(bytes: Vec<u8>, roots: &Roots) {
    let refused = capped::reading(0, || Body::open(bytes, roots, usage_as_of()).err());
    assert!(refused.is_some());
}
