//! Heads signed by a test key, whatever they name.

use std::sync::LazyLock;

use edgegrant::gate::{Clock, Gate, Offer, Options, Origin};
use edgegrant::snapshot::Roots;
use edgegrant::trust::{Head, Keyring, SecretKey, sign};

use crate::support::usage_as_of;

pub(crate) const AUDIENCE: &str = "edgegrant/fuzz";

pub(crate) static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(1, [9; 32]));

pub(crate) fn options() -> Options {
    let keyring = Keyring::new(vec![KEY.trusted_key()], 1).unwrap();
    Options::new(AUDIENCE.to_owned(), keyring)
}

pub(crate) fn head(roots: &Roots, version: u64) -> Head {
    let issued_at = usage_as_of();
    Head {
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
        shrunk_at_version: version,
    }
}

pub(crate) fn signed_head(roots: &Roots, version: u64) -> Vec<u8> {
    sign(&head(roots, version), std::slice::from_ref(&*KEY)).unwrap()
}

/// Gives a gate a head that names a body, and the body.
pub(crate) fn load(
    gate: &mut Gate,
    roots: &Roots,
    version: u64,
    pack: &[u8],
) -> Result<(), edgegrant::Error> {
    let offer = gate.offer(&signed_head(roots, version), Clock::Untrusted, Origin::Network)?;
    if offer == Offer::Unchanged { Ok(()) } else { gate.accept(pack) }
}
