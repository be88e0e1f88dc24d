//! Files of format version 0: they are read as they were meant, and written again byte for byte.
//!
//! `cargo test -p edgegrant --test snapshot_golden -- --ignored` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::path::PathBuf;

use edgegrant::snapshot::{Body, Digest, Encoded, Roots, Slice, SubjectRecord, cut, encode};
use edgegrant::trust::{Head, Keyring, SecretKey, VerifiedHead, sign, verify};
use snapshot_support::random::Random;
use snapshot_support::told;
use snapshot_support::{Own, features, planned_subjects, settings, usage_as_of};

const AUDIENCE: &str = "acme/golden";
const SUBJECT: &str = "customer-000001";

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v0").join(name)
}

fn key() -> SecretKey {
    SecretKey::from_seed(1, [42; 32])
}

fn subjects() -> Vec<SubjectRecord> {
    let random = &mut Random(2026);
    let features = features(6);
    let mut subjects = planned_subjects(3, Own::Anchors);
    subjects.extend((0..20).map(|number| random.subject(number, &features)));
    subjects[0].aliases.push("first".to_owned());
    subjects
}

fn encoded() -> Encoded {
    let encoded = encode(&settings(), &features(10), subjects()).unwrap();
    assert!(encoded.page_bits > 0, "there is a node");
    encoded
}

fn signed_head(roots: &Roots) -> Vec<u8> {
    let issued_at = usage_as_of();
    let head = Head {
        audience: AUDIENCE.to_owned(),
        version: 1,
        issued_at,
        stale_after: issued_at.plus_millis(120_000),
        expires_at: issued_at.plus_millis(86_400_000),
        dead_at: issued_at.plus_millis(7 * 86_400_000),
        usage_as_of: issued_at,
        root: roots.root.0,
        catalogue: roots.catalogue.0,
        pack_length: roots.pack_length,
        shrunk_at_version: 0,
    };
    sign(&head, &[key()]).unwrap()
}

fn open(bytes: &[u8]) -> VerifiedHead {
    let keyring = Keyring::new(vec![key().trusted_key()], 1).unwrap();
    verify(bytes, &keyring, AUDIENCE).unwrap()
}

/// The files, and what they say for readers in other languages.
fn written() -> [(&'static str, Vec<u8>); 4] {
    let encoded = encoded();
    let (pack, head) = (encoded.pack(), signed_head(&encoded.roots));
    let body = Body::open(pack.clone(), &encoded.roots, usage_as_of()).unwrap();
    let slice = cut(&body, &body.subject(SUBJECT).unwrap().unwrap(), &head).unwrap();
    let mut told = told::body(&body);
    told["trustedKey"] = key().trusted_key().to_string().into();
    told["slice"] = SUBJECT.into();
    let mut told = serde_json::to_vec(&told).unwrap();
    told.push(b'\n');
    [("head", head), ("pack", pack), ("slice", slice), ("told.json", told)]
}

#[test]
#[ignore = "writes the golden files anew"]
fn write_golden_files() {
    for (name, bytes) in written() {
        std::fs::write(file(name), bytes).unwrap();
    }
}

#[test]
fn golden_files_are_written_again() {
    for (name, bytes) in written() {
        assert!(std::fs::read(file(name)).unwrap() == bytes, "{name} has other bytes now");
    }
}

#[test]
fn golden_files_are_read_as_they_were_meant() {
    let head = open(&std::fs::read(file("head")).unwrap());
    let Head { root, catalogue, pack_length, usage_as_of, .. } = head.head().clone();
    let roots = Roots { root: Digest(root), catalogue: Digest(catalogue), pack_length };
    let body = Body::open(std::fs::read(file("pack")).unwrap(), &roots, usage_as_of).unwrap();
    body.verify().unwrap();
    let mut subjects = subjects();
    assert_eq!(body.subjects().count(), subjects.len());
    for subject in &mut subjects {
        for alias in subject.aliases.drain(..) {
            assert_eq!(body.subject(&alias).unwrap().unwrap().id(), subject.id);
        }
        let mut found = body.subject(&subject.id).unwrap().unwrap().to_record().unwrap();
        found.entitlements.sort_by(|one, other| one.feature.cmp(&other.feature));
        subject.entitlements.sort_by(|one, other| one.feature.cmp(&other.feature));
        assert_eq!(found, *subject);
    }
    let slice = std::fs::read(file("slice")).unwrap();
    let slice = Slice::read(&slice).unwrap();
    assert_eq!(open(slice.head()), head);
    let proved = slice.prove(&roots.root, usage_as_of, SUBJECT).unwrap();
    let found = proved.entries().map(|(feature, entry)| entry.to_record(&feature).unwrap());
    let expected = subjects.iter().find(|subject| subject.id == SUBJECT).unwrap();
    assert_eq!(found.collect::<Vec<_>>(), expected.entitlements);
}
