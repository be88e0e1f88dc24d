//! Keys that stay where they are: what is to be signed goes out, signatures come in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgegrant::trust::{Keyring, TrustedKey, verify};
use edgegrant_origin::Failure;
use edgegrant_origin::gc::{self, gc};
use edgegrant_origin::publish::{
    Published, Unsigned, complete, prepare, prepare_renewal, publish, renew,
};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::kit::{Origin, at, generated, key, seed};

const FIRST: &str = "2026-11-20T12:00:10Z";
const SECOND: &str = "2026-11-20T12:10:10Z";
const THIRD: &str = "2026-11-20T12:20:10Z";

/// A signer that shares no code with the origin.
pub(crate) struct Signer {
    epoch: u32,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(epoch: u32) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { epoch, pair: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap() }
    }

    /// The key of the tests' own publisher.
    pub(crate) fn of_kit() -> Self {
        Self { epoch: 1, pair: Ed25519KeyPair::from_seed_unchecked(&seed()).unwrap() }
    }

    fn trusted_key(&self) -> TrustedKey {
        TrustedKey::new(self.epoch, self.pair.public_key().as_ref().try_into().unwrap()).unwrap()
    }

    /// Signs the message that is meant for it.
    pub(crate) fn sign(&self, unsigned: &Unsigned) -> Vec<u8> {
        let key = self.trusted_key().to_string();
        let mine = unsigned.to_sign.iter().find(|to_sign| to_sign.trusted_key == key).unwrap();
        assert_eq!(mine.algorithm, "Ed25519");
        self.pair.sign(&STANDARD.decode(&mine.message).unwrap()).as_ref().to_vec()
    }
}

fn signers() -> (Signer, Signer) {
    (Signer::new(1), Signer::new(2))
}

fn prepared(origin: &Origin, now: &str, signers: &[&Signer]) -> Unsigned {
    let keys: Vec<_> = signers.iter().map(|signer| signer.trusted_key()).collect();
    prepare(&origin.options(now), &keys, &origin.folder()).unwrap()
}

fn completed(origin: &Origin, now: &str, signatures: &[Vec<u8>]) -> Result<Published, Failure> {
    complete(signatures, at(now), &origin.folder())
}

fn code(result: Result<Published, Failure>) -> String {
    result.unwrap_err().code
}

#[test]
fn several_signers_elsewhere_sign_one_head() {
    let (old, new) = signers();
    let origin = Origin::new(&generated(50));
    let unsigned = prepared(&origin, FIRST, &[&old, &new]);
    assert!(!origin.folder().head().exists(), "nobody sees it before it is signed");
    let (one, other) = (old.sign(&unsigned), new.sign(&unsigned));
    assert_eq!(code(completed(&origin, FIRST, std::slice::from_ref(&one))), "signature-missing");
    assert_eq!(code(completed(&origin, FIRST, &[one.clone(), one.clone()])), "signature-missing");
    // In any order, in bytes or in the text that signers print.
    let texts = [URL_SAFE_NO_PAD.encode(&other).into_bytes(), one];
    let published = completed(&origin, FIRST, &texts).unwrap();
    assert_eq!((published.version, published.subjects), (unsigned.version, 50));
    for signer in [&old, &new] {
        let keyring = Keyring::new(vec![signer.trusted_key()], 1).unwrap();
        let head = verify(&origin.head_bytes(), &keyring, "acme/test").unwrap();
        assert_eq!((head.epoch(), head.head().version), (signer.epoch, published.version));
        origin.assert_finds_all(&head);
    }
    assert_eq!(code(completed(&origin, FIRST, &texts)), "nothing-pending");
}

#[test]
fn wrong_signatures_are_refused_and_may_be_given_anew() {
    let (signer, stranger) = signers();
    let origin = Origin::new(&generated(50));
    let unsigned = prepared(&origin, FIRST, &[&signer]);
    let right = signer.sign(&unsigned);
    let of_other_bytes = signer.pair.sign(b"something else").as_ref().to_vec();
    let message = STANDARD.decode(&unsigned.to_sign.first().unwrap().message).unwrap();
    let of_a_stranger = stranger.pair.sign(&message).as_ref().to_vec();
    for wrong in [of_other_bytes, of_a_stranger, vec![0; 64]] {
        assert_eq!(code(completed(&origin, FIRST, &[wrong])), "signature-invalid");
    }
    let cut = right.get(..63).unwrap().to_vec();
    for malformed in [Vec::new(), cut, b"not base64 at all!".to_vec()] {
        assert_eq!(code(completed(&origin, FIRST, &[malformed])), "signature-malformed");
    }
    assert_eq!(
        code(completed(&origin, "2026-11-21T12:00:10Z", std::slice::from_ref(&right))),
        "head-expired"
    );
    assert!(!origin.folder().head().exists());
    completed(&origin, SECOND, &[right]).unwrap();
}

#[test]
fn what_is_published_in_between_wins() {
    let (signer, _) = signers();
    let origin = Origin::new(&generated(50));
    origin.publish(FIRST).unwrap();
    let unsigned = prepared(&origin, SECOND, &[&signer]);
    let present = origin.head_bytes();
    let between = origin.publish(THIRD).unwrap();
    assert!(between.version > unsigned.version);
    assert_eq!(code(completed(&origin, THIRD, &[signer.sign(&unsigned)])), "nothing-pending");
    assert_ne!(origin.head_bytes(), present);
    // Also by a clock that runs behind: versions are never given twice.
    let unsigned = prepared(&origin, FIRST, &[&signer]);
    assert_eq!(unsigned.version, between.version + 1);
    let behind = origin.publish(FIRST).unwrap();
    assert_eq!(behind.version, unsigned.version + 1);
    // As after a publisher that was killed before it could say that nothing waits any more.
    let unsigned = prepared(&origin, THIRD, &[&signer]);
    let waiting = std::fs::read(origin.folder().pending()).unwrap();
    let last = origin.publish(THIRD).unwrap();
    std::fs::write(origin.folder().pending(), waiting).unwrap();
    let superseded = completed(&origin, THIRD, &[signer.sign(&unsigned)]);
    assert_eq!(code(superseded), "pending-superseded");
    assert_eq!(origin.head().head().version, last.version);
}

#[test]
fn what_waits_is_not_swept_away() {
    let (signer, _) = signers();
    let origin = Origin::new(&generated(50));
    origin.publish(FIRST).unwrap();
    origin.write(&generated(70));
    let unsigned = prepared(&origin, SECOND, &[&signer]);
    let freed = origin.gc("2026-11-23T00:00:00Z");
    assert_eq!((freed.parts, freed.packs), (0, 0), "{freed:?}");
    let at_once = gc::Options { now: at(SECOND), only_present: true, dry_run: false };
    let freed = gc(&at_once, &origin.folder()).unwrap();
    assert!(freed.pending_forgotten && freed.parts > 0, "{freed:?}");
    assert_eq!(code(completed(&origin, SECOND, &[signer.sign(&unsigned)])), "nothing-pending");
    origin.assert_whole();
}

#[test]
fn a_snapshot_is_renewed_with_its_usage_as_it_was() {
    let (signer, _) = signers();
    let origin = Origin::new(&generated(50));
    let failure = renew(&origin.terms(FIRST), &[key()], &origin.folder()).unwrap_err();
    assert_eq!(failure.code, "nothing-published");
    assert!(!origin.folder().path().exists());
    let first = origin.publish(FIRST).unwrap();
    let before = origin.head();
    let files = origin.served_but_the_head();

    let renewed = renew(&origin.terms(SECOND), &[key()], &origin.folder()).unwrap();
    assert!(renewed.version > first.version);
    assert_eq!((renewed.subjects, renewed.parts), (50, first.parts));
    let after = origin.head();
    assert_eq!(after.head().usage_as_of, before.head().usage_as_of);
    assert_eq!(
        (after.head().root, after.head().catalogue),
        (before.head().root, before.head().catalogue)
    );
    assert_eq!(after.head().issued_at, at(SECOND));

    let keys = [signer.trusted_key()];
    let unsigned = prepare_renewal(&origin.terms(THIRD), &keys, &origin.folder()).unwrap();
    completed(&origin, THIRD, &[signer.sign(&unsigned)]).unwrap();
    let keyring = Keyring::new(keys.to_vec(), 1).unwrap();
    let head = verify(&origin.head_bytes(), &keyring, "acme/test").unwrap();
    assert_eq!(head.head().usage_as_of, before.head().usage_as_of);
    assert_eq!(origin.served_but_the_head(), files, "nothing else was written");
}

#[test]
fn nothing_is_renewed_that_this_publisher_did_not_sign() {
    let origin = Origin::new(&generated(50));
    origin.publish(FIRST).unwrap();
    let other = Origin::new(&generated(50));
    other.publish(SECOND).unwrap();
    std::fs::write(origin.folder().head(), other.head_bytes()).unwrap();
    let terms = origin.terms(THIRD);
    let failure = renew(&terms, &[key()], &origin.folder()).unwrap_err();
    assert_eq!(failure.code, "head-unknown");
    // Publishing from facts is the cure, above the version that lies there.
    let version = origin.publish(FIRST).unwrap().version;
    assert!(version > at(SECOND).millis().unsigned_abs());
    std::fs::remove_file(origin.folder().part(&origin.a_page())).unwrap();
    let failure = renew(&terms, &[key()], &origin.folder()).unwrap_err();
    assert_eq!(failure.code, "folder-damaged");
}

#[test]
fn fault_K15_a_key_signs_once() {
    let origin = Origin::new(&generated(5));
    let again = edgegrant::trust::SecretKey::from_seed(2, seed());
    for keys in [[key(), key()], [key(), again]] {
        let failure = publish(&origin.options(FIRST), &keys, &origin.folder()).unwrap_err();
        assert_eq!(failure.code, "key-duplicate");
    }
    let key = key().trusted_key();
    let twice = prepare(&origin.options(FIRST), &[key.clone(), key], &origin.folder());
    assert_eq!(twice.unwrap_err().code, "key-duplicate");
    assert!(!origin.folder().path().exists());
}

#[test]
fn fault_K20_no_more_keys_sign_than_a_head_carries() {
    let origin = Origin::new(&generated(5));
    let keys = |count: u8| -> Vec<_> {
        (0..count).map(|seed| edgegrant::trust::SecretKey::from_seed(1, [seed; 32])).collect()
    };
    for count in [0, 9] {
        let failure = publish(&origin.options(FIRST), &keys(count), &origin.folder()).unwrap_err();
        assert_eq!(failure.code, "signature-count", "{count}");
    }
    assert!(!origin.folder().path().exists());
    // Eight fit, also beside the longest audience.
    let mut long = origin.options(FIRST);
    long.terms.audience = "a".repeat(128);
    publish(&long, &keys(8), &origin.folder()).unwrap();
}

/// What a thief of a key does who can also write into the folder.
fn take_over(origin: &Origin, thief: &edgegrant::trust::SecretKey, version: u64) {
    let head = edgegrant::trust::Head { version, ..origin.head().head().clone() };
    let signed = edgegrant::trust::sign(&head, std::slice::from_ref(thief)).unwrap();
    std::fs::write(origin.folder().head(), signed).unwrap();
}

#[test]
fn fault_K25_whoever_writes_files_does_not_choose_versions() {
    let origin = Origin::new(&generated(5));
    origin.publish(FIRST).unwrap();
    let stranger = edgegrant::trust::SecretKey::from_seed(1, [9; 32]);
    take_over(&origin, &stranger, u64::MAX);
    let version = origin.publish(SECOND).unwrap().version;
    assert_eq!(version, at(SECOND).millis().unsigned_abs());
}

#[test]
fn fault_K25_a_new_epoch_begins_versions_anew_after_a_theft() {
    let origin = Origin::new(&generated(5));
    origin.publish(FIRST).unwrap();
    take_over(&origin, &key(), (1 << 63) - 1);
    // Unaware, the owner goes on above it, until there is nothing above.
    assert_eq!(origin.publish(SECOND).unwrap().version, 1 << 63);
    take_over(&origin, &key(), u64::MAX);
    let failure = origin.publish(SECOND).unwrap_err();
    assert_eq!(failure.code, "version-exhausted");
    let fresh = edgegrant::trust::SecretKey::from_seed(2, [8; 32]);
    // Gates that know the old key alone can only be led upwards.
    let both = publish(&origin.options(SECOND), &[key(), fresh.clone()], &origin.folder());
    assert_eq!(both.unwrap_err().code, "version-exhausted");
    let first =
        publish(&origin.options(SECOND), std::slice::from_ref(&fresh), &origin.folder()).unwrap();
    assert_eq!(first.version, at(SECOND).millis().unsigned_abs());
    let next = publish(&origin.options(SECOND), &[fresh], &origin.folder()).unwrap();
    assert_eq!(next.version, first.version + 1);
}
