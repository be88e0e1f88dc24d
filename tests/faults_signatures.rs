//! Rows K of docs/FAULTS.md that tell what is signed apart from how it is written, and the examples
//! of COSE that stand beside the repository.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::path::Path;

use coset::iana::Algorithm;
use coset::{
    CoseSign, CoseSign1, HeaderBuilder, RegisteredLabelWithPrivate, TaggedCborSerializable as _,
};
use edgegrant::trust::{
    Head, Keyring, SecretKey, TrustedKey, read_unverified, sign, to_be_signed, verify,
};
use serde_json::Value;
use snapshot_support::usage_as_of;

const AUDIENCE: &str = "acme/production";

fn head() -> Head {
    let issued_at = usage_as_of();
    Head {
        audience: AUDIENCE.to_owned(),
        version: 12,
        issued_at,
        stale_after: issued_at,
        expires_at: issued_at.plus_millis(1_000),
        dead_at: issued_at.plus_millis(1_000),
        usage_as_of: issued_at,
        root: [1; 32],
        catalogue: [2; 32],
        pack_length: 3,
        shrunk_at_version: 0,
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed(1, [1; 32])
}

/// The signed head as a message of COSE that a test changes without signing it again.
fn code(change: impl FnOnce(&mut CoseSign)) -> &'static str {
    let mut message = CoseSign::from_tagged_slice(&sign(&head(), &[key()]).unwrap()).unwrap();
    change(&mut message);
    refused(&message.to_tagged_vec().unwrap())
}

fn refused(bytes: &[u8]) -> &'static str {
    let keyring = Keyring::new(vec![key().trusted_key()], 1).unwrap();
    verify(bytes, &keyring, AUDIENCE).unwrap_err().code()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn fault_K28_the_received_bytes_are_verified() {
    // The version 12 in two bytes, and the map with its length in two bytes: the same for every
    // decoder that forgives, and not what was signed.
    for (from, to) in [([3, 12].as_slice(), [3, 0x18, 12].as_slice()), (&[0xad], &[0xb8, 13])] {
        let change = |message: &mut CoseSign| {
            let payload = message.payload.take().unwrap();
            message.payload = Some(replaced(&payload, from, to));
        };
        assert_eq!(code(change), "signature-invalid");
    }
}

#[test]
fn fault_K29_no_two_heads_are_signed_alike() {
    let signed = |change: &dyn Fn(&mut Head)| {
        let mut head = head();
        change(&mut head);
        to_be_signed(&head, key().trusted_key().id()).unwrap()
    };
    // What one field loses the next one gains.
    let all = [
        signed(&|head| (head.audience, head.version) = ("12".to_owned(), 3)),
        signed(&|head| (head.audience, head.version) = ("1".to_owned(), 23)),
        signed(&|head| (head.pack_length, head.shrunk_at_version) = (11, 1)),
        signed(&|head| (head.pack_length, head.shrunk_at_version) = (1, 11)),
        signed(&|head| (head.root[31], head.catalogue[0]) = (2, 1)),
        signed(&|head| (head.root[31], head.catalogue[0]) = (1, 2)),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(all[index + 1..].iter().all(|other| one != other));
    }
}

/// What the tests of `COSE_Sign1` do to a message, done to a head.
#[test]
fn fault_K32_changes_to_a_signed_message() {
    let bytes = sign(&head(), &[key()]).unwrap();
    assert_eq!(&bytes[..3], [0xd8, 98, 0x84]);
    for tag in [&[0xd9, 3, 0xe6][..], &[0xd2], &[]] {
        assert_eq!(refused(&[tag, &bytes[2..]].concat()), "head-malformed");
    }
    let flipped = code(|message| message.signatures[0].signature[0] ^= 1);
    assert_eq!(flipped, "signature-invalid");
    for (algorithm, text) in [(Some(Algorithm::ES256), ""), (None, "unknown")] {
        let changed = code(|message| {
            let header = &mut message.signatures[0].protected;
            header.original_data = None;
            header.header.alg = Some(match algorithm {
                Some(known) => RegisteredLabelWithPrivate::Assigned(known),
                None => RegisteredLabelWithPrivate::Text(text.to_owned()),
            });
        });
        assert_eq!(changed, "signature-algorithm");
    }
    // A header too many, one too few, and the empty header in its longer encoding.
    let added = HeaderBuilder::new().content_type("0".to_owned()).build();
    let added = code(|message| {
        message.protected.original_data = None;
        message.protected.header = added;
    });
    assert_eq!(added, "head-malformed");
    let removed = code(|message| {
        message.signatures[0].protected.original_data = None;
        message.signatures[0].protected.header.key_id.clear();
    });
    assert_eq!(removed, "head-malformed");
    let empty = [&bytes[..3], &[0x41, 0xa0], &bytes[4..]].concat();
    assert_eq!(refused(&empty), "head-malformed");
    each("sign1-tests", |name, message, _| {
        assert!(read_unverified(message).is_err(), "{name}: no message of another kind is a head");
    });
}

/// The examples with Ed25519 verify, and nothing that differs from them in a bit does.
#[test]
fn fault_K32_the_examples_of_cose_with_ed25519() {
    let mut verified = 0;
    each("eddsa-examples", |name, message, case| {
        assert!(read_unverified(message).is_err(), "{name}: an example is no head");
        let input = &case["input"];
        let signer = input.get("sign0").unwrap_or(&input["sign"]["signers"][0]);
        let bytes = hex(signer["key"]["x_hex"].as_str().unwrap());
        // The other curve has longer keys.
        let Ok(bytes) = <[u8; 32]>::try_from(bytes) else { return };
        let key = TrustedKey::new(1, &bytes).unwrap();
        let (signed, signature) = signed_by(message);
        assert!(key.verifies(&signed, &signature), "{name}");
        for bit in 0..signed.len() * 8 {
            assert!(!key.verifies(&flipped(&signed, bit), &signature), "{name}: bit {bit}");
        }
        for bit in 0..signature.len() * 8 {
            assert!(!key.verifies(&signed, &flipped(&signature, bit)), "{name}: bit {bit}");
        }
        verified += 1;
    });
    assert!(verified == 2 || vectors("eddsa-examples").is_none(), "{verified}");
}

/// What an example signs, by RFC 9052 §4.4 as coset has it, and its signature.
fn signed_by(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    if let Ok(message) = CoseSign1::from_tagged_slice(message) {
        return (message.tbs_data(b""), message.signature);
    }
    let message = CoseSign::from_tagged_slice(message).unwrap();
    let mut found = None;
    let take = |signature: &[u8], signed: &[u8]| {
        found = Some((signed.to_vec(), signature.to_vec()));
        Ok::<_, ()>(())
    };
    message.verify_signature(0, b"", take).unwrap();
    found.unwrap()
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn vectors(folder: &str) -> Option<std::fs::ReadDir> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/cose-wg");
    std::fs::read_dir(all.join(folder)).ok()
}

/// Hands over the messages of a folder of examples, where it is there.
fn each(folder: &str, mut test: impl FnMut(&str, &[u8], &Value)) {
    for entry in vectors(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let message = hex(case["output"]["cbor"].as_str().unwrap());
        test(&path.display().to_string(), &message, &case);
    }
}
