//! Keys, and which of them are trusted.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha512_256};

use super::base64url;
use super::published::is_published;
use crate::error::Error;

const PUBLIC_PREFIX: &str = "eg1";
const SECRET_PREFIX: &str = "eg1-secret";
const KEYS_MAX: usize = 64;

const MALFORMED: Error = Error::new(
    "key-malformed",
    "the key is not written eg1:<epoch>:<43 characters of base64url>; copy it from keygen",
);
const SECRET_MALFORMED: Error = Error::new(
    "secret-key-malformed",
    "the secret key is not written eg1-secret:<epoch>:<43 characters of base64url>; use the file \
     that keygen wrote",
);
const WEAK: Error = Error::new(
    "key-weak",
    "the key is no point of full order in its only encoding, so others could sign for it; make a \
     new one with keygen",
);
const PUBLISHED: Error = Error::new(
    "key-published",
    "the key's secret is published in tests or documents, so anybody could sign; make a new one \
     with keygen",
);
const NO_KEYS: Error =
    Error::new("keys-missing", "no key is trusted; configure at least one, written eg1:...");
const TOO_MANY: Error =
    Error::new("keys-too-many", "more than 64 keys are trusted; remove old ones");
const DUPLICATE: Error = Error::new(
    "key-duplicate",
    "the same key is trusted twice; name each once, whatever its epoch",
);
const THRESHOLD: Error = Error::new(
    "threshold-out-of-range",
    "the threshold of signatures is not between 1 and the number of trusted keys",
);

/// The name of a key within a head: its epoch and the start of its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId {
    epoch: u32,
    fingerprint: [u8; 8],
}

impl KeyId {
    /// The epoch that the key signs for.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Reads the 12 bytes of [`KeyId::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (epoch, fingerprint) = bytes.split_first_chunk::<4>()?;
        let fingerprint = fingerprint.try_into().ok()?;
        Some(Self { epoch: u32::from_be_bytes(*epoch), fingerprint })
    }

    /// The epoch, big-endian, and the first 8 bytes of the key's SHA-512/256.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (epoch, fingerprint) = bytes.split_at_mut(4);
        epoch.copy_from_slice(&self.epoch.to_be_bytes());
        fingerprint.copy_from_slice(&self.fingerprint);
        bytes
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.epoch)?;
        self.fingerprint.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A public key whose signatures count, for one epoch.
///
/// ```
/// use edgegrant::trust::{SecretKey, TrustedKey};
///
/// let text = "eg1:1:c3yHIXuJGZMnjEiHTc_UwQSoZkRzJKLmGM1VZD2RsS0";
/// assert_eq!(TrustedKey::parse(text)?.to_string(), text);
/// let published = SecretKey::from_seed(1, [7; 32]).trusted_key().to_string();
/// assert_eq!(TrustedKey::parse(&published).unwrap_err().code(), "key-published");
/// assert_eq!(TrustedKey::parse("eg1:1:AAAA").unwrap_err().code(), "key-malformed");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    epoch: u32,
    key: VerifyingKey,
}

impl TrustedKey {
    /// The key of 32 bytes as RFC 8032 encodes it.
    ///
    /// # Errors
    /// `key-malformed` when the bytes are no point, `key-weak` when the point has a small order or
    /// another encoding than its shortest.
    pub fn new(epoch: u32, bytes: &[u8; 32]) -> Result<Self, Error> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| MALFORMED)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(WEAK);
        }
        Ok(Self { epoch, key })
    }

    /// Reads `eg1:<epoch>:<base64url>`, which is how keys are configured.
    ///
    /// # Errors
    /// As [`TrustedKey::new`], and `key-published` for a key of tests or of well-known documents,
    /// whose secret half everybody can read.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (epoch, bytes) = parse(text, PUBLIC_PREFIX).ok_or(MALFORMED)?;
        let key = Self::new(epoch, &bytes)?;
        if is_published(key.id()) { Err(PUBLISHED) } else { Ok(key) }
    }

    /// The name that signatures of this key carry.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut fingerprint = [0; 8];
        for (to, from) in fingerprint.iter_mut().zip(Sha512_256::digest(self.key.as_bytes())) {
            *to = from;
        }
        KeyId { epoch: self.epoch, fingerprint }
    }

    /// Whether `signature` is this key's over `message`, by the strict rules: no other encoding of
    /// the scalar or of a point counts, and no point of small order.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for TrustedKey {
    /// `eg1:<epoch>:<base64url>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = base64url::encode(self.key.as_bytes());
        write!(f, "{PUBLIC_PREFIX}:{}:{key}", self.epoch)
    }
}

/// The keys that count, and how many of them must have signed.
///
/// ```
/// use edgegrant::trust::{Keyring, SecretKey};
///
/// let key = SecretKey::from_seed(1, [7; 32]).trusted_key();
/// assert!(Keyring::new(vec![key], 1).is_ok());
/// assert_eq!(Keyring::new(vec![], 1).unwrap_err().code(), "keys-missing");
/// ```
#[derive(Clone, Debug)]
pub struct Keyring {
    keys: Vec<(KeyId, TrustedKey)>,
    threshold: usize,
}

impl Keyring {
    /// Trusts `keys`, 1 to 64 of them, `threshold` of which must have signed for the same epoch.
    ///
    /// # Errors
    /// `keys-missing`, `keys-too-many`, `key-duplicate` when two have the same bytes, and
    /// `threshold-out-of-range` unless it is between 1 and the number of keys.
    pub fn new(keys: Vec<TrustedKey>, threshold: usize) -> Result<Self, Error> {
        if keys.is_empty() {
            return Err(NO_KEYS);
        }
        if keys.len() > KEYS_MAX {
            return Err(TOO_MANY);
        }
        if threshold == 0 || threshold > keys.len() {
            return Err(THRESHOLD);
        }
        // Sorting would be quicker and add 70 kB to the wasm.
        let same =
            |one: &TrustedKey, other: &TrustedKey| one.key.as_bytes() == other.key.as_bytes();
        if keys.iter().any(|one| keys.iter().filter(|other| same(one, other)).count() > 1) {
            return Err(DUPLICATE);
        }
        let keys = keys.into_iter().map(|key| (key.id(), key)).collect();
        Ok(Self { keys, threshold })
    }

    /// How many distinct keys must have signed.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&TrustedKey> {
        self.keys.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

/// A key that signs. It is never shown except by [`SecretKey::to_text`].
#[derive(Clone)]
pub struct SecretKey {
    epoch: u32,
    key: SigningKey,
}

impl SecretKey {
    /// The key that 32 random bytes stand for.
    #[must_use]
    pub fn from_seed(epoch: u32, seed: [u8; 32]) -> Self {
        Self { epoch, key: SigningKey::from_bytes(&seed) }
    }

    /// Reads `eg1-secret:<epoch>:<base64url>`.
    ///
    /// # Errors
    /// `secret-key-malformed` for any other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (epoch, seed) = parse(text, SECRET_PREFIX).ok_or(SECRET_MALFORMED)?;
        Ok(Self::from_seed(epoch, seed))
    }

    /// `eg1-secret:<epoch>:<base64url>`: whoever reads it can sign.
    #[must_use]
    pub fn to_text(&self) -> String {
        let seed = base64url::encode(self.key.as_bytes());
        format!("{SECRET_PREFIX}:{}:{seed}", self.epoch)
    }

    /// The public half.
    #[must_use]
    pub fn trusted_key(&self) -> TrustedKey {
        TrustedKey { epoch: self.epoch, key: self.key.verifying_key() }
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(epoch {})", self.epoch)
    }
}

fn parse(text: &str, prefix: &str) -> Option<(u32, [u8; 32])> {
    let (epoch, key) = text.strip_prefix(prefix)?.strip_prefix(':')?.split_once(':')?;
    let canonical = epoch == "0" || !epoch.starts_with(['0', '+']);
    if !canonical {
        return None;
    }
    Some((epoch.parse().ok()?, base64url::decode(key)?))
}
