//! Rows K of docs/FAULTS.md about the keys that are trusted.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

use edgegrant::trust::{KeyId, Keyring, SecretKey, TrustedKey};

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(1, [number; 32])
}

fn keyring_refused(keys: Vec<TrustedKey>, threshold: usize) -> &'static str {
    Keyring::new(keys, threshold).unwrap_err().code()
}

#[test]
fn fault_K16_one_key_under_two_names_is_one() {
    let refused = keyring_refused;
    let trusted = || key(1).trusted_key();
    assert_eq!(refused(vec![trusted(), trusted()], 2), "key-duplicate");
    let same = SecretKey::from_seed(2, [1; 32]).trusted_key();
    assert_eq!(refused(vec![trusted(), same], 2), "key-duplicate");
}

#[test]
fn fault_K17_a_threshold_is_at_least_one_and_at_most_all() {
    let refused = keyring_refused;
    let trusted = || key(1).trusted_key();
    assert_eq!(refused(vec![trusted()], 0), "threshold-out-of-range");
    assert_eq!(refused(vec![trusted()], 2), "threshold-out-of-range");
    assert_eq!(refused(vec![trusted()], usize::MAX), "threshold-out-of-range");
}

#[test]
fn fault_K31_keys_are_written_in_one_way_and_never_missing() {
    assert_eq!(keyring_refused(Vec::new(), 1), "keys-missing");
    let text = "eg1:1:c3yHIXuJGZMnjEiHTc_UwQSoZkRzJKLmGM1VZD2RsS0".to_owned();
    assert_eq!(TrustedKey::parse(&text).unwrap().to_string(), text);
    let secret = key(1).to_text();
    assert_eq!(SecretKey::parse(&secret).unwrap().trusted_key(), key(1).trusted_key());
    assert!(!format!("{:?}", key(1)).contains(&secret[13..]));
    for text in [
        "",
        "eg1",
        "eg1:1:",
        "eg2:1:AAAA",
        &text[..text.len() - 1],
        &format!("{text}="),
        &text.replace("eg1:1:", "eg1:01:"),
        &text.replace("eg1:1:", "eg1:+1:"),
        &text.replace("eg1:1:", "eg1:-1:"),
        &text.replace("eg1:1:", "eg1:4294967296:"),
        &secret,
    ] {
        assert_eq!(TrustedKey::parse(text).unwrap_err().code(), "key-malformed", "{text}");
        assert_eq!(
            SecretKey::parse(&text.replace("eg1-secret", "eg1")).unwrap_err().code(),
            "secret-key-malformed"
        );
    }
    let id = key(1).trusted_key().id();
    assert_eq!(KeyId::from_bytes(&id.to_bytes()), Some(id));
    assert!(id.to_string().starts_with("1:"));
}

#[test]
fn fault_K06_weak_keys_are_refused_when_configured() {
    // The neutral element, points of order 2, 4 and 8, and encodings beyond the prime.
    let with = |first: u8, rest: u8, last: u8| {
        let mut bytes = [rest; 32];
        (bytes[0], bytes[31]) = (first, last);
        TrustedKey::new(1, &bytes).unwrap_err().code()
    };
    for (first, rest, last) in
        [(1, 0, 0), (0, 0, 0), (0, 0, 0x80), (0xec, 0xff, 0x7f), (0xee, 0xff, 0x7f)]
    {
        assert_eq!(with(first, rest, last), "key-weak");
    }
}
