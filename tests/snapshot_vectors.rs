//! Published Ed25519 vectors through the one function that verifies signatures. They stand beside
//! the repository; without them only those of RFC 8032 that are written here are checked.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

use std::path::Path;

use ed25519_dalek::Signer as _;
use edgegrant::trust::{SecretKey, TrustedKey};
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = key.try_into().ok().and_then(|key| TrustedKey::new(1, key).ok());
    key.is_some_and(|key| key.verifies(message, signature))
}

/// A file of vectors, if it is there.
fn vectors(file: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(file);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap()
}

/// RFC 8032 §7.1, tests 2 and 3.
#[test]
fn fault_K05_rfc_8032() {
    for (key, signature, message) in [
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            "72",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            "af82",
        ),
    ] {
        assert!(verifies(&hex(key), &hex(message), &hex(signature)));
        assert!(!verifies(&hex(key), b"another message", &hex(signature)));
    }
    let Some(file) = vectors("rfc8032/ed25519.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let field = |name: &str| hex(text(case, name));
        assert!(verifies(&field("public"), &field("message"), &field("signature")));
    }
}

#[test]
fn fault_K02_wycheproof() {
    let Some(file) = vectors("wycheproof/ed25519_test.json") else { return };
    let mut checked = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = hex(text(&group["publicKey"], "pk"));
        for case in group["tests"].as_array().unwrap() {
            let valid = text(case, "result") == "valid";
            let verified = verifies(&key, &hex(text(case, "msg")), &hex(text(case, "sig")));
            assert_eq!(verified, valid, "{case}");
            checked += 1;
        }
    }
    assert_eq!(checked, 151);
}

/// The same vectors as a crate carries them, so that they are there everywhere; those that change
/// only the scalar are among them.
#[test]
fn fault_K02_wycheproof_as_a_crate() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let cases = set.test_groups.iter().flat_map(|group| {
        let key: &[u8] = &group.key.pk;
        group.tests.iter().map(move |case| (key, case))
    });
    let mut checked = 0;
    for (key, case) in cases {
        let valid = !case.result.must_fail();
        assert_eq!(verifies(key, &case.msg, &case.sig), valid, "{}", case.tc_id);
        checked += 1;
    }
    assert_eq!(checked, 151);
}

/// RFC 8032 §5.1.7: a scalar that is longer by the order of the group is no scalar.
#[test]
fn fault_K07_a_signature_with_another_scalar() {
    let key = SecretKey::from_seed(1, [1; 32]);
    let signer = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let mut signature = signer.sign(b"message").to_bytes();
    assert!(key.trusted_key().verifies(b"message", &signature));
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (byte, more) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!key.trusted_key().verifies(b"message", &signature));
}

#[test]
fn fault_K03_speccheck() {
    let Some(file) = vectors("ed25519-speccheck/cases.json") else { return };
    let verdict = |case: &Value| {
        let field = |name: &str| hex(text(case, name));
        if verifies(&field("pub_key"), &field("message"), &field("signature")) { 'V' } else { 'X' }
    };
    let verdicts: String = file.as_array().unwrap().iter().map(verdict).collect();
    assert_eq!(verdicts, "XXXVXXXXXXXX");
}

#[test]
fn fault_K04_cctv() {
    let Some(file) = vectors("cctv-ed25519/ed25519vectors.json") else { return };
    let Some(expected) = vectors("derived/expected_strict.json") else { return };
    let accepted = file.as_array().unwrap().iter().filter(|case| {
        verifies(&hex(text(case, "key")), text(case, "msg").as_bytes(), &hex(text(case, "sig")))
    });
    let accepted: Vec<Value> = accepted.map(|case| case["number"].clone()).collect();
    assert_eq!(Value::Array(accepted), expected["cctv_accepted_numbers"]);
}
