//! Snapshots with a signed head, and gates over them.

use edgegrant::gate::{Ask, Clock, Gate, Options, Origin, SliceGate};
use edgegrant::snapshot::Encoded;
use edgegrant::time::Instant;
use edgegrant::trust::{Head, Keyring, SecretKey, sign};
use edgegrant::{Amount, Error};

use super::usage_as_of;

pub const AUDIENCE: &str = "acme/test";
pub const HOUR: i64 = 3_600_000;

pub fn key(epoch: u32) -> SecretKey {
    SecretKey::from_seed(epoch, [epoch as u8; 32])
}

pub fn options(keys: &[SecretKey], threshold: usize) -> Options {
    let keys = keys.iter().map(SecretKey::trusted_key).collect();
    let keyring = Keyring::new(keys, threshold).unwrap();
    Options::new(AUDIENCE.to_owned(), keyring)
}

pub fn head(encoded: &Encoded, version: u64) -> Head {
    let issued_at = usage_as_of().plus_millis(version as i64 * 60_000);
    Head {
        audience: AUDIENCE.to_owned(),
        version,
        issued_at,
        stale_after: issued_at.plus_millis(120_000),
        expires_at: issued_at.plus_millis(24 * HOUR),
        dead_at: issued_at.plus_millis(7 * 24 * HOUR),
        usage_as_of: usage_as_of(),
        root: encoded.roots.root.0,
        catalogue: encoded.roots.catalogue.0,
        pack_length: encoded.roots.pack_length,
        shrunk_at_version: 0,
    }
}

/// A gate over a snapshot whose head says what it is given, signed by the keys.
pub fn gate_signed_by(encoded: &Encoded, head: &Head, keys: &[SecretKey]) -> Gate {
    let mut gate = Gate::new(options(keys, 1));
    let head = sign(head, keys).unwrap();
    gate.offer(&head, Clock::Untrusted, Origin::Network).unwrap();
    gate.accept(encoded.pack()).unwrap();
    gate
}

pub fn gate(encoded: &Encoded, version: u64) -> Gate {
    gate_signed_by(encoded, &head(encoded, version), &[key(1)])
}

pub fn open(slice: &[u8], subject: &str) -> Result<SliceGate, Error> {
    SliceGate::open(options(&[key(1)], 1), subject.to_owned(), slice, 0)
}

pub fn ask<'a>(subject: &'a str, feature: &'a str, now: Instant) -> Ask<'a> {
    Ask { subject, feature, clock: Clock::At(now), at: None, amount: None, used: None }
}

pub fn asked_for(ask: Ask<'_>, at: Instant, amount: u32) -> Ask<'_> {
    Ask { at: Some(at), amount: Some(Amount::from_units(i64::from(amount))), ..ask }
}
