//! Heads against coset, an independent implementation of COSE, and against what forgers try.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

use coset::cbor::value::Value;
use coset::iana::{Algorithm, EnumI64 as _};
use coset::{
    CborSerializable as _, CoseSign, CoseSignBuilder, CoseSignatureBuilder, HeaderBuilder,
    RegisteredLabelWithPrivate, TaggedCborSerializable as _,
};
use ed25519_dalek::{Signer as _, SigningKey};
use edgegrant::time::Instant;
use edgegrant::trust::{
    Head, HeadSignature, Keyring, SecretKey, assemble, read_unverified, sign, to_be_signed, verify,
};

const AAD: &[u8] = b"edgegrant-head";
const AUDIENCE: &str = "acme/production";

fn head() -> Head {
    let issued_at = Instant::parse("2026-06-15T12:00:00Z").unwrap();
    Head {
        audience: AUDIENCE.to_owned(),
        version: 1_781_524_800_000,
        issued_at,
        stale_after: issued_at.plus_millis(120_000),
        expires_at: issued_at.plus_millis(86_400_000),
        dead_at: issued_at.plus_millis(7 * 86_400_000),
        usage_as_of: issued_at,
        root: [1; 32],
        catalogue: [2; 32],
        pack_length: 123_456,
        shrunk_at_version: 0,
    }
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(1, [number; 32])
}

fn trusting(keys: &[SecretKey], threshold: usize) -> Keyring {
    Keyring::new(keys.iter().map(SecretKey::trusted_key).collect(), threshold).unwrap()
}

fn code(bytes: &[u8], keyring: &Keyring) -> &'static str {
    verify(bytes, keyring, AUDIENCE).unwrap_err().code()
}

/// A head with fields and headers as a test wants them, made and signed by coset.
struct Forge {
    seed: u8,
    epoch: u32,
    payload: Vec<u8>,
    aad: Vec<u8>,
    tagged: bool,
}

impl Forge {
    fn new(payload: Vec<u8>) -> Self {
        Self { seed: 1, epoch: 1, payload, aad: AAD.to_vec(), tagged: true }
    }

    fn kid(&self) -> Vec<u8> {
        SecretKey::from_seed(self.epoch, [self.seed; 32]).trusted_key().id().to_bytes().to_vec()
    }

    fn header(&self) -> coset::Header {
        HeaderBuilder::new().algorithm(Algorithm::EdDSA).key_id(self.kid()).build()
    }

    fn signed_with(&self, header: coset::Header, unprotected: coset::Header) -> Vec<u8> {
        let signer = SigningKey::from_bytes(&[self.seed; 32]);
        let signature =
            CoseSignatureBuilder::new().protected(header).unprotected(unprotected).build();
        let message = CoseSignBuilder::new()
            .payload(self.payload.clone())
            .add_created_signature(signature, &self.aad, |bytes| {
                signer.sign(bytes).to_bytes().to_vec()
            })
            .build();
        if self.tagged { message.to_tagged_vec().unwrap() } else { message.to_vec().unwrap() }
    }

    fn signed(&self) -> Vec<u8> {
        self.signed_with(self.header(), coset::Header::default())
    }
}

fn payload_of(bytes: &[u8]) -> Vec<u8> {
    CoseSign::from_tagged_slice(bytes).unwrap().payload.unwrap()
}

/// The payload as a map that a test may change.
fn fields() -> Vec<(Value, Value)> {
    let payload = payload_of(&sign(&head(), &[key(1)]).unwrap());
    Value::from_slice(&payload).unwrap().into_map().unwrap()
}

fn forged(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
    let mut fields = fields();
    change(&mut fields);
    Forge::new(Value::Map(fields).to_vec().unwrap()).signed()
}

#[test]
fn coset_reads_and_verifies_what_we_sign() {
    let (first, second) = (key(1), key(2));
    let bytes = sign(&head(), &[first.clone(), second.clone()]).unwrap();
    assert!(bytes.len() < 1024);
    let message = CoseSign::from_tagged_slice(&bytes).unwrap();
    assert!(message.protected.is_empty() && message.unprotected.is_empty());
    for (index, key) in [first, second].iter().enumerate() {
        let header = &message.signatures[index].protected.header;
        let eddsa = RegisteredLabelWithPrivate::Assigned(Algorithm::EdDSA);
        assert_eq!(header.alg, Some(eddsa));
        assert_eq!(header.key_id, key.trusted_key().id().to_bytes());
        let verified = message.verify_signature(index, AAD, |signature, signed| {
            let ours = to_be_signed(&head(), key.trusted_key().id()).unwrap();
            assert_eq!(signed, ours);
            if key.trusted_key().verifies(signed, signature) { Ok(()) } else { Err(()) }
        });
        verified.unwrap();
    }
    // Deterministic encoding: coset writes the same bytes again.
    assert_eq!(message.to_tagged_vec().unwrap(), bytes);
}

#[test]
fn we_verify_what_coset_signs() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = Forge::new(payload_of(&sign(&head(), &[key(1)]).unwrap())).signed();
    let verified = verify(&bytes, &keyring, AUDIENCE).unwrap();
    assert_eq!(verified.head(), &head());
    assert_eq!(verified.epoch(), 1);
    assert_eq!(verified.bytes(), bytes);
    assert_eq!(read_unverified(&bytes).unwrap().head, head());
}

#[test]
fn signing_elsewhere_gives_the_same_head() {
    let secret = SigningKey::from_bytes(&[1; 32]);
    let key_id = key(1).trusted_key().id();
    let signed = to_be_signed(&head(), key_id).unwrap();
    let signature = HeadSignature { key_id, bytes: secret.sign(&signed).to_bytes() };
    assert_eq!(assemble(&head(), &[signature]).unwrap(), sign(&head(), &[key(1)]).unwrap());
}

#[test]
fn fault_B02_a_head_cut_anywhere_is_refused() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    for length in 0..bytes.len() {
        assert_eq!(code(&bytes[..length], &keyring), "head-truncated", "cut at {length}");
    }
}

#[test]
fn fault_B03_a_head_with_one_changed_bit_is_refused() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, &keyring, AUDIENCE).is_err(), "bit {bit}");
    }
}

#[test]
fn fault_B04_bytes_behind_a_head_are_refused() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    assert_eq!(code(&[bytes.as_slice(), b"x"].concat(), &keyring), "head-trailing-bytes");
    assert_eq!(code(&[bytes.as_slice(), &[0; 1 << 20]].concat(), &keyring), "head-too-large");
}

#[test]
fn fault_B06_a_head_of_a_later_format_is_refused() {
    let keyring = trusting(&[key(1)], 1);
    for other in [0, 2] {
        let format = forged(|fields| fields[1].1 = Value::from(other));
        assert_eq!(code(&format, &keyring), "head-format-unsupported");
    }
}

#[test]
fn fault_B07_what_a_head_may_add_is_ignored() {
    let keyring = trusting(&[key(1)], 1);
    let optional = forged(|fields| fields.push((Value::from(24), Value::from("a remark"))));
    assert_eq!(verify(&optional, &keyring, AUDIENCE).unwrap().head(), &head());
    let twice = forged(|fields| {
        fields.extend([(Value::from(24), Value::from(1)), (Value::from(24), Value::from(1))]);
    });
    assert_eq!(code(&twice, &keyring), "head-malformed");
    let nested = forged(|fields| fields.push((Value::from(24), Value::Array(vec![]))));
    assert_eq!(code(&nested, &keyring), "head-malformed");
}

#[test]
fn fault_B08_what_has_to_be_understood_is() {
    let keyring = trusting(&[key(1)], 1);
    for critical in [13, 23, 256, -1, -100] {
        let bytes = forged(|fields| fields.push((Value::from(critical), Value::from(1))));
        assert_eq!(code(&bytes, &keyring), "head-critical-unknown", "{critical}");
    }
}

#[test]
fn fault_B14_only_deterministic_cbor() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    assert_eq!(&bytes[..4], [0xd8, 98, 0x84, 0x40]);
    let with = |front: &[u8]| [front, &bytes[4..]].concat();
    // A longer tag, a longer array, an array without an end, a longer text, deep nesting.
    for front in [
        &[0xd9, 0, 98, 0x84, 0x40][..],
        &[0xd8, 98, 0x98, 4, 0x40],
        &[0xd8, 98, 0x9f, 0x40],
        &[0xd8, 98, 0x84, 0x58, 0],
        &[0x81; 900],
        &[0xd8, 18, 0x84, 0x40],
        &[0xf9, 0, 0],
    ] {
        assert!(matches!(
            code(&with(front), &keyring),
            "head-malformed" | "head-truncated" | "head-too-large"
        ));
    }
    // A version that is a float, and keys out of order.
    let float = forged(|fields| fields[3].1 = Value::from(1.5));
    assert_eq!(code(&float, &keyring), "head-malformed");
    let order = forged(|fields| fields.swap(4, 5));
    assert_eq!(code(&order, &keyring), "head-malformed");
    // Signed, with a version that is not written the shortest way.
    let mut payload = payload_of(&bytes);
    let at = payload.windows(2).position(|two| two == [0x0c, 0x00]).unwrap();
    payload.splice(at + 1..=at + 1, [0x18, 0]);
    assert_eq!(code(&Forge::new(payload).signed(), &keyring), "head-malformed");
    let untagged = Forge { tagged: false, ..Forge::new(payload_of(&bytes)) };
    assert_eq!(code(&untagged.signed(), &keyring), "head-malformed");
}

#[test]
fn fault_B22_a_head_without_one_of_its_fields() {
    let keyring = trusting(&[key(1)], 1);
    for missing in 0..13 {
        let bytes = forged(|fields| drop(fields.remove(missing)));
        assert_eq!(code(&bytes, &keyring), "head-malformed", "without {missing}");
    }
}

#[test]
fn fault_B29_a_head_with_fields_that_cannot_be() {
    let keyring = trusting(&[key(1)], 1);
    for (field, value) in
        [(2, Value::from("")), (4, Value::from(i64::MAX)), (12, Value::from(u64::MAX))]
    {
        let bytes = forged(|fields| fields[field].1 = value);
        assert_eq!(code(&bytes, &keyring), "head-invalid", "{field}");
    }
    let expired_first = forged(|fields| fields[6].1 = Value::from(0));
    assert_eq!(code(&expired_first, &keyring), "head-invalid");
    let short = forged(|fields| fields[9].1 = Value::Bytes(vec![1; 31]));
    assert_eq!(code(&short, &keyring), "head-malformed");
    assert_eq!(
        sign(&Head { audience: "x".repeat(129), ..head() }, &[key(1)]).unwrap_err().code(),
        "head-invalid"
    );
}

#[test]
fn fault_K01_signatures_of_zeros_of_another_length_or_none() {
    let keyring = trusting(&[key(1)], 1);
    let key_id = key(1).trusted_key().id();
    let zero = assemble(&head(), &[HeadSignature { key_id, bytes: [0; 64] }]).unwrap();
    assert_eq!(code(&zero, &keyring), "signature-invalid");
    for length in [0, 63, 65] {
        let bytes = message(&|message| message.signatures[0].signature.resize(length, 0));
        assert_eq!(code(&bytes, &keyring), "signature-invalid");
    }
    assert_eq!(code(&message(&|message| message.signatures.clear()), &keyring), "signature-count");
    assert_eq!(assemble(&head(), &[]).unwrap_err().code(), "signature-count");
}

/// A signed head, changed as a message of COSE.
fn message(change: &dyn Fn(&mut CoseSign)) -> Vec<u8> {
    let mut message = CoseSign::from_tagged_slice(&sign(&head(), &[key(1)]).unwrap()).unwrap();
    change(&mut message);
    message.to_tagged_vec().unwrap()
}

#[test]
fn fault_K20_more_signatures_than_eight() {
    let keyring = trusting(&[key(1)], 1);
    let nine = message(&|message| {
        message.signatures[0].signature.clear();
        message.signatures = vec![message.signatures[0].clone(); 9];
    });
    assert_eq!(code(&nine, &keyring), "signature-count");
    let many = message(&|message| message.signatures = vec![message.signatures[0].clone(); 10_000]);
    assert_eq!(code(&many, &keyring), "head-too-large");
    let nine: Vec<_> = (1..=9).map(key).collect();
    assert_eq!(sign(&head(), &nine).unwrap_err().code(), "signature-count");
    let eight: Vec<_> = (1..=8).map(key).collect();
    let bytes = sign(&head(), &eight).unwrap();
    verify(&bytes, &trusting(&eight, 8), AUDIENCE).unwrap();
}

#[test]
fn fault_K08_other_algorithms() {
    let (keyring, forge) = forge();
    let none = coset::Header::default;
    for algorithm in [Algorithm::HMAC_256_256, Algorithm::ES256, Algorithm::from_i64(-19).unwrap()]
    {
        let header = HeaderBuilder::new().algorithm(algorithm).key_id(forge.kid()).build();
        assert_eq!(code(&forge.signed_with(header, none()), &keyring), "signature-algorithm");
    }
    let header =
        coset::Header { alg: Some(coset::Algorithm::Text("EdDSA".into())), ..forge.header() };
    assert_eq!(code(&forge.signed_with(header, none()), &keyring), "signature-algorithm");
}

fn forge() -> (Keyring, Forge) {
    let payload = payload_of(&sign(&head(), &[key(1)]).unwrap());
    (trusting(&[key(1)], 1), Forge::new(payload))
}

#[test]
fn fault_K09_headers_that_nobody_signed() {
    let (keyring, forge) = forge();
    let outside = HeaderBuilder::new().algorithm(Algorithm::EdDSA).build();
    let named = HeaderBuilder::new().key_id(forge.kid()).build();
    assert_eq!(code(&forge.signed_with(named, outside.clone()), &keyring), "head-malformed");
    assert_eq!(code(&forge.signed_with(forge.header(), outside), &keyring), "head-malformed");
}

#[test]
fn fault_K10_keys_within_the_message() {
    let (keyring, forge) = forge();
    let none = coset::Header::default;
    let mut with_key = forge.header();
    with_key.rest.push((coset::Label::Int(-1), Value::Bytes(vec![1; 32])));
    assert_eq!(code(&forge.signed_with(with_key, none()), &keyring), "head-malformed");
}

#[test]
fn fault_B08_a_critical_header_is_refused() {
    let (keyring, forge) = forge();
    let none = coset::Header::default;
    let mut critical = forge.header();
    critical.crit.push(RegisteredLabelWithPrivate::Assigned(coset::iana::HeaderParameter::Alg));
    assert_eq!(code(&forge.signed_with(critical, none()), &keyring), "head-malformed");
}

#[test]
fn fault_K11_key_ids() {
    let (keyring, forge) = forge();
    for (kid, expected) in [
        (vec![0; 12], "signature-unknown-key"),
        (Vec::new(), "head-malformed"),
        (b"../../etc/passwd".to_vec(), "head-malformed"),
        (b"__proto__".to_vec(), "head-malformed"),
        (vec![b'k'; 1 << 20], "head-too-large"),
    ] {
        let header = HeaderBuilder::new().algorithm(Algorithm::EdDSA).key_id(kid).build();
        assert_eq!(code(&forge.signed_with(header, coset::Header::default()), &keyring), expected);
    }
}

#[test]
fn fault_K12_the_head_of_another_tenant() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    for audience in ["other/production", "", "acme", "acme/production ", "ACME/production"] {
        assert_eq!(verify(&bytes, &keyring, audience).unwrap_err().code(), "head-audience");
    }
}

#[test]
fn fault_K13_the_head_of_another_environment() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    assert_eq!(verify(&bytes, &keyring, "acme/staging").unwrap_err().code(), "head-audience");
}

#[test]
fn fault_K14_a_message_of_another_type() {
    let keyring = trusting(&[key(1)], 1);
    let bytes = sign(&head(), &[key(1)]).unwrap();
    let slice = forged(|fields| fields[0].1 = Value::from("edgegrant-slice"));
    assert_eq!(code(&slice, &keyring), "head-type");
    let other = Forge { aad: b"edgegrant-root".to_vec(), ..Forge::new(payload_of(&bytes)) };
    assert_eq!(code(&other.signed(), &keyring), "signature-invalid");
}

#[test]
fn fault_K15_two_signatures_of_one_key_are_one() {
    let two = trusting(&[key(1), key(2)], 2);
    assert_eq!(code(&sign(&head(), &[key(1)]).unwrap(), &two), "signature-threshold");
    assert_eq!(code(&sign(&head(), &[key(1), key(1)]).unwrap(), &two), "signature-threshold");
    verify(&sign(&head(), &[key(2), key(1)]).unwrap(), &two, AUDIENCE).unwrap();
}

#[test]
fn fault_K18_a_bad_signature_of_an_unknown_key_is_ignored() {
    let keyring = trusting(&[key(1), key(2)], 1);
    verify(&sign(&head(), &[key(9), key(1)]).unwrap(), &keyring, AUDIENCE).unwrap();
    verify(&with_bad_signature(9), &keyring, AUDIENCE).unwrap();
}

#[test]
fn fault_K19_a_bad_signature_of_a_known_key_refuses_the_head() {
    let keyring = trusting(&[key(1), key(2)], 1);
    assert_eq!(code(&with_bad_signature(2), &keyring), "signature-invalid");
}

/// A head that is signed, and beside that carries nonsense under the name of another key.
fn with_bad_signature(number: u8) -> Vec<u8> {
    let bad = HeadSignature { key_id: key(number).trusted_key().id(), bytes: [7; 64] };
    let signed = to_be_signed(&head(), key(1).trusted_key().id()).unwrap();
    let good = HeadSignature {
        key_id: key(1).trusted_key().id(),
        bytes: SigningKey::from_bytes(&[1; 32]).sign(&signed).to_bytes(),
    };
    assemble(&head(), &[good, bad]).unwrap()
}

#[test]
fn fault_K23_K24_K25_a_signature_counts_for_its_epoch() {
    let (old, new) = (key(1), SecretKey::from_seed(2, [2; 32]));
    let both = sign(&head(), &[old.clone(), new.clone()]).unwrap();
    let epoch = |keys: &[&SecretKey]| {
        let keys = keys.iter().map(|key| key.trusted_key()).collect();
        verify(&both, &Keyring::new(keys, 1).unwrap(), AUDIENCE).unwrap().epoch()
    };
    assert_eq!(epoch(&[&old]), 1);
    assert_eq!(epoch(&[&new]), 2);
    assert_eq!(epoch(&[&old, &new]), 2);
    let replayed = sign(&head(), std::slice::from_ref(&old)).unwrap();
    assert_eq!(code(&replayed, &trusting(std::slice::from_ref(&new), 1)), "signature-unknown-key");
    // Two signatures, each for another epoch, are not two of one.
    assert_eq!(code(&both, &trusting(&[old.clone(), new], 2)), "signature-threshold");
    // The same key trusted for another epoch than it signed for.
    let moved = SecretKey::from_seed(3, [1; 32]);
    assert_eq!(
        code(&sign(&head(), &[old]).unwrap(), &trusting(&[moved], 1)),
        "signature-unknown-key"
    );
}
