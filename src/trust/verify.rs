//! The one way from received bytes to a head that may be believed.

use super::envelope::Envelope;
use super::head::Head;
use super::keys::{KeyId, Keyring};
use crate::error::Error;

const UNKNOWN_KEY: Error = Error::new(
    "signature-unknown-key",
    "no signature of the head is by a trusted key; configure the key it is signed with",
);
const INVALID: Error = Error::new(
    "signature-invalid",
    "a trusted key's signature does not match the head; somebody changed it on its way",
);
const THRESHOLD: Error = Error::new(
    "signature-threshold",
    "fewer trusted keys of one epoch signed the head than are required; sign it with more",
);
const AUDIENCE: Error = Error::new(
    "head-audience",
    "the head is for another audience; check the address and the configured audience",
);

/// A head whose signatures were verified for an audience. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHead {
    head: Head,
    epoch: u32,
    bytes: Vec<u8>,
}

impl VerifiedHead {
    /// What the head says.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The highest epoch for which enough trusted keys signed.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The bytes as received, for slices and stores.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Verifies a head: its frame, its signatures by the received bytes, its fields and its audience.
///
/// Signatures by unknown keys are ignored; a wrong signature by a known key refuses the head. Each
/// key counts once, and only together with others of its epoch.
///
/// # Errors
/// `head-too-large`, `head-truncated`, `head-trailing-bytes`, `head-malformed`, `signature-count`,
/// `signature-algorithm` for the frame; `signature-unknown-key`, `signature-invalid`,
/// `signature-threshold`; `head-type`, `head-format-unsupported`, `head-critical-unknown`,
/// `head-invalid` for the fields; `head-audience`.
pub fn verify(bytes: &[u8], keyring: &Keyring, audience: &str) -> Result<VerifiedHead, Error> {
    let envelope = Envelope::read(bytes)?;
    let epoch = verified_epoch(&envelope, keyring)?;
    let head = Head::decode(envelope.payload)?;
    if head.audience != audience {
        return Err(AUDIENCE);
    }
    Ok(VerifiedHead { head, epoch, bytes: bytes.to_vec() })
}

/// The highest epoch for which enough distinct trusted keys signed.
fn verified_epoch(envelope: &Envelope<'_>, keyring: &Keyring) -> Result<u32, Error> {
    let mut signers: Vec<KeyId> = Vec::new();
    for signature in &envelope.signatures {
        let Some(key) = keyring.find(signature.key_id) else { continue };
        if !key.verifies(&envelope.signed_bytes(signature), signature.bytes) {
            return Err(INVALID);
        }
        if !signers.contains(&signature.key_id) {
            signers.push(signature.key_id);
        }
    }
    if signers.is_empty() {
        return Err(UNKNOWN_KEY);
    }
    let signed = |epoch: u32| signers.iter().filter(|id| id.epoch() == epoch).count();
    let epochs = signers.iter().map(KeyId::epoch);
    epochs.filter(|epoch| signed(*epoch) >= keyring.threshold()).max().ok_or(THRESHOLD)
}

/// A head that nobody verified, for people who inspect one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedHead {
    /// What the head claims.
    pub head: Head,
    /// Who is said to have signed it.
    pub signers: Vec<KeyId>,
}

/// Reads a head without asking who signed it. Nothing may be decided by it.
///
/// # Errors
/// As [`verify`], without those of signatures and audience.
pub fn read_unverified(bytes: &[u8]) -> Result<UnverifiedHead, Error> {
    let envelope = Envelope::read(bytes)?;
    let signers = envelope.signatures.iter().map(|signature| signature.key_id).collect();
    Ok(UnverifiedHead { head: Head::decode(envelope.payload)?, signers })
}
