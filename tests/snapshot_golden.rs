//! Files of format version 1, one of every kind. They decode for ever, as `told.json` says; as long
//! as the writer is what it is, they are also written again byte for byte.
//!
//! `cargo test -p edgegrant --test snapshot_golden -- --ignored` writes what is missing. What is
//! there is never written anew.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::path::PathBuf;

use edgegrant::gate::{Ask, Clock, Gate, Offer, Options, Origin, Reason, Wanted, bundle, unbundle};
use edgegrant::snapshot::{Body, Digest, Encoded, Roots, Slice, SubjectRecord, cut, encode};
use edgegrant::trust::{Head, Keyring, SecretKey, VerifiedHead, sign, verify};
use serde_json::Value;
use snapshot_support::random::Random;
use snapshot_support::told;
use snapshot_support::{Own, bulky_subjects, features, planned_subjects, settings, usage_as_of};

const AUDIENCE: &str = "acme/golden";
const SUBJECT: &str = "customer-000001";
/// How many subjects take more than 256 pages.
const DEEP: usize = 2_500;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(name)
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

/// What was published before: somebody was not there yet, and somebody had less.
fn encoded_before() -> Encoded {
    let mut subjects = subjects();
    subjects.pop();
    subjects[3].entitlements.pop();
    let encoded = encode(&settings(), &features(10), subjects).unwrap();
    assert_eq!(encoded.page_bits, self::encoded().page_bits);
    encoded
}

/// So many pages that nodes stand on nodes.
fn encoded_deep() -> Encoded {
    let encoded = encode(&settings(), &features(11), bulky_subjects(DEEP)).unwrap();
    assert!(encoded.page_bits > 8, "there is more than one level of nodes");
    encoded
}

fn second_key() -> SecretKey {
    SecretKey::from_seed(1, [43; 32])
}

fn signed_head(roots: &Roots, version: u64, keys: &[SecretKey]) -> Vec<u8> {
    let issued_at = usage_as_of();
    let head = Head {
        audience: AUDIENCE.to_owned(),
        version,
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
    sign(&head, keys).unwrap()
}

fn open(bytes: &[u8]) -> VerifiedHead {
    let keyring = Keyring::new(vec![key().trusted_key()], 1).unwrap();
    verify(bytes, &keyring, AUDIENCE).unwrap()
}

fn keyring() -> Keyring {
    Keyring::new(vec![key().trusted_key()], 1).unwrap()
}

/// The files, and what they say for readers in other languages.
fn written() -> Vec<(String, Vec<u8>)> {
    let (encoded, before) = (encoded(), encoded_before());
    let (pack, head) = (encoded.pack(), signed_head(&encoded.roots, 2, &[key()]));
    let body = Body::open(pack.clone(), &encoded.roots, usage_as_of()).unwrap();
    let slice = cut(&body, &body.subject(SUBJECT).unwrap().unwrap(), &head).unwrap();
    let earlier: Vec<_> = before.parts().collect();
    let has = |name: &Digest| earlier.iter().any(|part| part.digest == *name);
    let delta = encoded.delta(has, |place| Some(earlier[place].bytes.clone()));
    let mut told = told::body(&body);
    told["trustedKey"] = key().trusted_key().to_string().into();
    told["slice"] = SUBJECT.into();
    let mut told = serde_json::to_vec(&told).unwrap();
    told.push(b'\n');
    let parts = encoded.parts().map(|part| (format!("part/{}", part.digest), part.bytes.clone()));
    let whole = [
        ("before.head", signed_head(&before.roots, 1, &[key()])),
        ("before.pack", before.pack()),
        ("head", head.clone()),
        ("head.two-keys", signed_head(&encoded.roots, 2, &[key(), second_key()])),
        ("pack", pack.clone()),
        ("snapshot", bundle(&head, &pack)),
        ("delta", delta),
        ("slice", slice),
        ("told.json", told),
    ];
    let whole = whole.into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    whole.chain(parts).chain(written_deep()).collect()
}

/// Of a body that is too large to be kept: the head, a slice, what it says, and the parts that lead
/// to its subject.
fn written_deep() -> Vec<(String, Vec<u8>)> {
    let encoded = encoded_deep();
    let head = signed_head(&encoded.roots, 1, &[key()]);
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    let subject = body.subject(SUBJECT).unwrap().unwrap();
    let slice = cut(&body, &subject, &head).unwrap();
    let mut told = serde_json::to_vec(&told::subject(&subject)).unwrap();
    told.push(b'\n');
    let mut parts = Vec::new();
    let mut part = |name: Digest| {
        let part = encoded.parts().find(|part| part.digest == name).unwrap();
        parts.push((format!("part/{name}"), part.bytes.clone()));
        part.bytes.clone()
    };
    lead(&mut paged(&head, &mut part), SUBJECT, &mut part);
    assert_eq!(parts.len(), 4, "the catalogue, two nodes and a page");
    let files = [("deep.head", head), ("deep.slice", slice), ("deep.json", told)];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).chain(parts).collect()
}

/// A gate that holds pages: head and catalogue, and what leads to a subject once it is asked for.
fn paged(head: &[u8], mut part: impl FnMut(Digest) -> Vec<u8>) -> Gate {
    let mut gate = gate();
    gate.hold_pages(usize::MAX);
    gate.offer(head, Clock::Untrusted, Origin::Network).unwrap();
    while let Wanted::Parts(names) = gate.wanted(false) {
        names.into_iter().for_each(|name| gate.supply(name, &part(name)).unwrap());
    }
    gate.swap().unwrap();
    gate
}

/// Gives a gate that holds pages what it needs to answer for a subject.
fn lead(gate: &mut Gate, id: &str, mut part: impl FnMut(Digest) -> Vec<u8>) {
    while let Some(name) = gate.needs(id).unwrap() {
        gate.keep(id, name, &part(name)).unwrap();
    }
}

#[test]
#[ignore = "writes the golden files that are missing"]
fn write_golden_files() {
    std::fs::create_dir_all(file("part")).unwrap();
    for (name, bytes) in written() {
        if !file(&name).exists() {
            std::fs::write(file(&name), bytes).unwrap();
        }
    }
}

#[test]
fn golden_files_are_written_again() {
    for (name, bytes) in written() {
        assert!(read(&name) == bytes, "{name} has other bytes now");
    }
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

fn part(name: Digest) -> Vec<u8> {
    read(&format!("part/{name}"))
}

fn expected() -> Value {
    serde_json::from_slice(&read("told.json")).unwrap()
}

/// What a pack says, and nothing of whose it is.
fn told_by(pack: Vec<u8>, head: &VerifiedHead) -> Value {
    let Head { root, catalogue, pack_length, usage_as_of, .. } = head.head().clone();
    let roots = Roots { root: Digest(root), catalogue: Digest(catalogue), pack_length };
    let body = Body::open(pack, &roots, usage_as_of).unwrap();
    body.verify().unwrap();
    told::body(&body)
}

#[test]
fn a_golden_head_and_its_pack_say_what_they_were_meant_to() {
    let (told, expected) = (told_by(read("pack"), &open(&read("head"))), expected());
    assert_eq!(told["subjects"], expected["subjects"]);
    assert_eq!(told["aliases"], expected["aliases"]);
    assert_eq!(told["subjects"].as_array().unwrap().len(), 23);
}

#[test]
fn a_golden_head_may_be_signed_by_two_keys() {
    let keys = [key(), second_key(), SecretKey::from_seed(1, [44; 32])];
    let keyring = Keyring::new(keys.iter().map(SecretKey::trusted_key).collect(), 2).unwrap();
    let head = verify(&read("head.two-keys"), &keyring, AUDIENCE).unwrap();
    assert_eq!(head.head(), open(&read("head")).head());
    assert!(verify(&read("head"), &keyring, AUDIENCE).is_err(), "one key is not enough");
}

#[test]
fn a_golden_snapshot_is_head_and_pack() {
    assert_eq!(unbundle(read("snapshot")).unwrap(), (read("head"), read("pack")));
}

/// What a slice says of its subject's entitlements.
fn told_by_slice(bytes: &[u8]) -> Value {
    let slice = Slice::read(bytes).unwrap();
    let head = open(slice.head());
    let Head { root, usage_as_of, .. } = head.head().clone();
    let proved = slice.prove(&Digest(root), usage_as_of, SUBJECT).unwrap();
    let told = |(feature, entry): (_, edgegrant::snapshot::Entry<'_>)| {
        told::entitlement(&feature, &entry.to_record(&feature).unwrap())
    };
    proved.entries().map(told).collect()
}

#[test]
fn a_golden_slice_says_what_the_body_does() {
    let expected = expected();
    let subjects = expected["subjects"].as_array().unwrap();
    let subject = subjects.iter().find(|subject| subject["id"] == SUBJECT).unwrap();
    assert_eq!(told_by_slice(&read("slice")), subject["entitlements"]);
}

#[test]
fn a_golden_slice_and_parts_below_two_levels_of_nodes_say_the_same() {
    let expected: Value = serde_json::from_slice(&read("deep.json")).unwrap();
    assert_eq!(told_by_slice(&read("deep.slice")), expected["entitlements"]);
    let mut gate = paged(&read("deep.head"), part);
    lead(&mut gate, SUBJECT, part);
    let answered = gate.slice(SUBJECT).unwrap();
    assert!(answered == read("deep.slice"), "the parts prove the slice");
}

fn gate() -> Gate {
    Gate::new(Options::new(AUDIENCE.to_owned(), keyring()))
}

fn offer(gate: &mut Gate, head: &str) -> Offer {
    gate.offer(&read(head), Clock::Untrusted, Origin::Network).unwrap()
}

#[test]
fn a_golden_delta_leads_from_one_body_to_the_next() {
    let mut gate = gate();
    offer(&mut gate, "before.head");
    gate.accept(read("before.pack")).unwrap();
    offer(&mut gate, "head");
    let mut stream = gate.stream(true).unwrap();
    gate.feed(&mut stream, &read("delta")).unwrap();
    assert_eq!(gate.wanted(false), Wanted::Nothing, "nothing else had to be fetched");
    gate.swap().unwrap();
    let pack: Vec<u8> = gate.remains().unwrap().pack().unwrap().iter().flatten().copied().collect();
    assert!(pack == read("pack"));
}

#[test]
fn golden_parts_answer_one_by_one() {
    let (mut paged, mut whole) = (paged(&read("head"), part), gate());
    offer(&mut whole, "head");
    whole.accept(read("pack")).unwrap();
    for subject in expected()["subjects"].as_array().unwrap() {
        let id = subject["id"].as_str().unwrap();
        lead(&mut paged, id, part);
        for entitlement in subject["entitlements"].as_array().unwrap() {
            let feature = entitlement["feature"].as_str().unwrap();
            let clock = Clock::Untrusted;
            let ask = Ask { subject: id, feature, clock, at: None, amount: None, used: None };
            let answer = paged.check(&ask);
            assert_eq!(answer, whole.check(&ask), "{id} {feature}");
            assert_ne!(answer.reason, Reason::NotEntitled);
        }
    }
}
