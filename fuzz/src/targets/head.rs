//! Heads: as they come, with a payload that is signed, and with a header that is signed.

use std::sync::LazyLock;

use coset::cbor::value::Value;
use coset::{CborSerializable as _, CoseSign, TaggedCborSerializable as _};
use ed25519_dalek::{Signer as _, SigningKey};
use edgegrant::Instant;
use edgegrant::snapshot::{Digest, Roots};
use edgegrant::trust::{Head, VerifiedHead, read_unverified, verify};

use super::with_mode;
use crate::capped;
use crate::input::Input;
use crate::signed::{AUDIENCE, KEY, options, signed_head};

/// The one head that was signed, as whoever changes it on its way has it.
static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let roots = Roots { root: Digest([1; 32]), catalogue: Digest([2; 32]), pack_length: 123_456 };
    signed_head(&roots, 1_781_524_800_000)
});

static SIGNED_MESSAGE: LazyLock<CoseSign> =
    LazyLock::new(|| CoseSign::from_tagged_slice(&SIGNED).unwrap());

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    match input.byte() % 3 {
        0 => on_its_way(input.0),
        1 => with_payload(input.0),
        _ => with_header(input.0),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let header = header();
    let mut longer = payload();
    longer[0] += 1;
    longer.extend([0x18, 24, 0x63, b'n', b'e', b'w']);
    vec![
        with_mode(0, &SIGNED),
        with_mode(1, &payload()),
        with_mode(1, &longer),
        with_mode(2, &header),
    ]
}

fn payload() -> Vec<u8> {
    SIGNED_MESSAGE.payload.clone().unwrap()
}

fn header() -> Vec<u8> {
    SIGNED_MESSAGE.signatures[0].protected.clone().to_vec().unwrap_or_default()
}

fn checked(bytes: &[u8]) -> Option<VerifiedHead> {
    let options = options();
    let verified = capped::reading(bytes.len(), || verify(bytes, &options.keyring, AUDIENCE));
    let verified = verified.ok()?;
    // Whoever only looks sees the same, and the independent reader reads the message.
    assert_eq!(&read_unverified(bytes).unwrap().head, verified.head());
    let message = CoseSign::from_tagged_slice(bytes).unwrap();
    assert_eq!(message.clone().to_tagged_vec().unwrap(), bytes, "one encoding for each message");
    assert_fields(verified.head(), &message.payload.unwrap());
    Some(verified)
}

/// Without the key nothing is accepted but what was signed.
fn on_its_way(bytes: &[u8]) {
    if let Some(verified) = checked(bytes) {
        let signed = verify(&SIGNED, &options().keyring, AUDIENCE).unwrap();
        assert_eq!(verified.head(), signed.head());
    }
}

fn with_payload(payload: &[u8]) {
    let _head = checked(&message(&header(), payload));
}

/// There is one header for one key; whatever else is signed is refused.
fn with_header(header: &[u8]) {
    let right = self::header();
    let accepted = checked(&message(header, &payload())).is_some();
    assert_eq!(accepted, header == right);
}

fn bytes_item(bytes: &[u8]) -> Vec<u8> {
    Value::Bytes(bytes.to_vec()).to_vec().unwrap()
}

/// A message as docs/FORMAT.md has it, signed over any header and payload.
fn message(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let (header, payload) = (bytes_item(header), bytes_item(payload));
    let aad = bytes_item(b"edgegrant-head");
    let signed = [b"\x85\x69Signature\x40".as_slice(), &header, &aad, &payload].concat();
    let secret = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(secret.verifying_key().as_bytes(), &key_bytes());
    let signature = bytes_item(&secret.sign(&signed).to_bytes());
    let front: &[u8] = &[0xd8, 98, 0x84, 0x40, 0xa0];
    [front, &payload, &[0x81, 0x83], &header, &[0xa0], &signature].concat()
}

fn key_bytes() -> [u8; 32] {
    SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes()
}

fn assert_fields(head: &Head, payload: &[u8]) {
    let value = Value::from_slice(payload).unwrap();
    assert_eq!(value.clone().to_vec().unwrap(), payload, "one encoding for each payload");
    let fields = value.into_map().unwrap();
    let keys: Vec<i128> = fields.iter().map(|(key, _)| integer(key)).collect();
    assert!(keys.is_sorted_by(|one, other| one < other), "{keys:?}");
    assert_eq!(keys[..13], (0..13).collect::<Vec<_>>());
    assert!(keys[13..].iter().all(|key| (24..=255).contains(key)));
    let field = |key: usize| fields[key].1.clone();
    assert_eq!(field(0), Value::from("edgegrant-head"));
    assert_eq!(integer(&field(1)), 1);
    assert_eq!(field(2), Value::from(head.audience.as_str()));
    assert_eq!(integer(&field(3)), i128::from(head.version));
    let instants =
        [head.issued_at, head.stale_after, head.expires_at, head.dead_at, head.usage_as_of];
    for (key, instant) in (4..).zip(instants) {
        assert_eq!(integer(&field(key)), i128::from(Instant::millis(instant)));
    }
    assert_eq!(field(9), Value::Bytes(head.root.to_vec()));
    assert_eq!(field(10), Value::Bytes(head.catalogue.to_vec()));
    assert_eq!(integer(&field(11)), i128::from(head.pack_length));
    assert_eq!(integer(&field(12)), i128::from(head.shrunk_at_version));
    let ladder = [head.issued_at, head.stale_after, head.expires_at, head.dead_at];
    assert!(ladder.is_sorted() && head.shrunk_at_version <= head.version);
    assert_eq!(head.audience, AUDIENCE);
    assert_eq!(KEY.trusted_key().id().epoch(), 1);
}

fn integer(value: &Value) -> i128 {
    value.clone().into_integer().unwrap().into()
}
