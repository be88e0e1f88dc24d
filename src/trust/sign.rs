//! Signing, here or elsewhere.

use super::envelope;
use super::head::Head;
use super::keys::{KeyId, SecretKey};
use crate::error::Error;

/// A signature over [`to_be_signed`], and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadSignature {
    /// The key that signed.
    pub key_id: KeyId,
    /// Ed25519, as RFC 8032 encodes it.
    pub bytes: [u8; 64],
}

/// The bytes that one key signs for a head, for signers that keep their key to themselves.
///
/// # Errors
/// `head-invalid` when the head contradicts itself.
pub fn to_be_signed(head: &Head, key_id: KeyId) -> Result<Vec<u8>, Error> {
    Ok(envelope::signed_by(key_id, &head.encode()?))
}

/// Puts a head and the signatures that came back together.
///
/// # Errors
/// `head-invalid` when the head contradicts itself, `signature-count` unless there are 1 to 8
/// signatures, `head-too-large` beyond 1024 bytes.
pub fn assemble(head: &Head, signatures: &[HeadSignature]) -> Result<Vec<u8>, Error> {
    let signatures: Vec<_> = signatures.iter().map(|s| (s.key_id, s.bytes)).collect();
    envelope::write(&head.encode()?, &signatures)
}

/// Signs a head with keys that are at hand.
///
/// # Errors
/// As [`assemble`].
///
/// ```
/// use edgegrant::time::Instant;
/// use edgegrant::trust::{Head, Keyring, SecretKey, sign, verify};
///
/// let key = SecretKey::from_seed(1, [7; 32]);
/// let issued_at = Instant::parse("2026-01-01T00:00:00Z")?;
/// let head = Head {
///     audience: "acme/production".to_owned(),
///     version: 1,
///     issued_at,
///     stale_after: issued_at.plus_millis(120_000),
///     expires_at: issued_at.plus_millis(86_400_000),
///     dead_at: issued_at.plus_millis(7 * 86_400_000),
///     usage_as_of: issued_at,
///     root: [0; 32],
///     catalogue: [0; 32],
///     pack_length: 0,
///     shrunk_at_version: 0,
/// };
/// let bytes = sign(&head, &[key.clone()])?;
/// let keyring = Keyring::new(vec![key.trusted_key()], 1)?;
/// assert_eq!(verify(&bytes, &keyring, "acme/production")?.head(), &head);
/// assert_eq!(verify(&bytes, &keyring, "acme/staging").unwrap_err().code(), "head-audience");
/// # Ok::<(), edgegrant::Error>(())
/// ```
pub fn sign(head: &Head, keys: &[SecretKey]) -> Result<Vec<u8>, Error> {
    let payload = head.encode()?;
    let signature = |key: &SecretKey| {
        let id = key.trusted_key().id();
        (id, key.sign(&envelope::signed_by(id, &payload)))
    };
    envelope::write(&payload, &keys.iter().map(signature).collect::<Vec<_>>())
}
