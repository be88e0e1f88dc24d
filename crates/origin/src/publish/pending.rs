//! Signatures that come from elsewhere: a KMS, an HSM, a machine without a network.
//!
//! First everything is written but the head, and what is to be signed is handed out. Then the
//! signatures come in and the head appears. Whatever is published in between has a higher version
//! and takes the waiting snapshot's place.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use edgegrant::Instant;
use edgegrant::trust::{Head, HeadSignature, TrustedKey, assemble, read_unverified, to_be_signed};
use serde::{Deserialize, Serialize};

use super::Published;
use super::draft::{Draft, blank};
use super::lock::Lock;
use super::state::State;
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::heads;
use crate::reach::Reach;

/// What is to be signed, and by which keys.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsigned {
    /// The version of the snapshot that waits.
    pub version: u64,
    /// When it expires, so also until when signatures are of use.
    pub expires_at: String,
    /// One message for each key.
    pub to_sign: Vec<ToSign>,
}

/// A message for a key.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToSign {
    /// The public key of the signer, as gates are configured with it.
    pub trusted_key: String,
    /// Ed25519, as RFC 8032 says, over the message itself and no hash of it.
    pub algorithm: &'static str,
    /// The bytes to be signed, in base64: `Sig_structure` of RFC 9052 §4.4.
    pub message: String,
}

/// A head that waits for its signatures.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pending {
    /// The head with blanks in the place of its signatures.
    head: Vec<u8>,
    trusted_keys: Vec<String>,
    state: State,
    summary: Published,
}

const PENDING_BYTES_MAX: u64 = 1 << 16;
const SIGNATURE_BYTES: usize = 64;

impl Draft {
    /// Hands out what is to be signed and waits. `before` is the state of what is published now.
    pub(super) fn wait(
        self,
        keys: &[TrustedKey],
        before: State,
        folder: &Folder,
    ) -> Result<Unsigned, Failure> {
        let message = |key: &TrustedKey| {
            let message = to_be_signed(&self.head, key.id())?;
            let message = general_purpose::STANDARD.encode(message);
            Ok(ToSign { trusted_key: key.to_string(), algorithm: "Ed25519", message })
        };
        let to_sign = keys.iter().map(message).collect::<Result<_, edgegrant::Error>>()?;
        let expires_at = self.head.expires_at.to_string();
        let version = self.head.version;
        let pending = Pending {
            head: blank(&self.head, keys)?,
            trusted_keys: keys.iter().map(ToString::to_string).collect(),
            state: self.state.clone(),
            summary: self.summary,
        };
        // The version is taken, whatever becomes of it.
        State { version, epoch: self.state.epoch, ..before }.save(folder)?;
        let text = serde_json::to_string(&pending).unwrap_or_default();
        folder.keep(&folder.pending(), text.as_bytes())?;
        folder.settle()?;
        Ok(Unsigned { version, expires_at, to_sign })
    }
}

/// Takes the signatures of a waiting snapshot and lets gates see it.
///
/// Each is 64 bytes as RFC 8032 encodes them, or their base64. They may come in any order.
///
/// # Errors
/// `nothing-pending`; `pending-superseded` when something newer was published meanwhile;
/// `head-expired`; `signature-malformed`; `signature-invalid` for a signature that no key made of
/// its message; `signature-missing` unless every key signed; `folder-damaged`.
pub fn complete(
    signatures: &[Vec<u8>],
    now: Instant,
    folder: &Folder,
) -> Result<Published, Failure> {
    if !folder.pending().is_file() {
        return Err(nothing_pending());
    }
    let _lock = Lock::take(folder)?;
    let pending = load(folder)?.ok_or_else(nothing_pending)?;
    let head = read_unverified(&pending.head)?.head;
    let published = heads::present(folder)?.map(|kept| kept.head.version);
    if published.is_some_and(|version| version > head.version) {
        forget(folder)?;
        let message = "something newer was published; prepare and sign anew";
        return Err(Failure::bad_input("pending-superseded", message));
    }
    if head.expires_at <= now {
        let message = "the snapshot expired before it was signed; prepare and sign anew";
        return Err(Failure::bad_input("head-expired", message));
    }
    let mut reach = Reach::default();
    reach.add(folder, &head)?;
    reach.check(folder)?;
    let keys = pending.trusted_keys.iter().map(|key| TrustedKey::parse(key));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let signed = assemble(&head, &matched(&head, &keys, signatures)?)?;
    let draft = Draft { head, state: pending.state, summary: pending.summary };
    draft.publish(&signed, keys.into_iter(), folder)
}

/// The signature of each key.
fn matched(
    head: &Head,
    keys: &[TrustedKey],
    signatures: &[Vec<u8>],
) -> Result<Vec<HeadSignature>, Failure> {
    let messages = keys.iter().map(|key| to_be_signed(head, key.id()));
    let messages = messages.collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<Option<HeadSignature>> = vec![None; keys.len()];
    for given in signatures {
        let bytes = signature(given)?;
        let mut candidates = keys.iter().zip(&messages).zip(&mut found);
        let by = candidates.find(|((key, message), _)| key.verifies(message, &bytes));
        let ((key, _), place) = by.ok_or_else(|| refused("signature-invalid", NO_SIGNATURE))?;
        *place = Some(HeadSignature { key_id: key.id(), bytes });
    }
    let missing = keys.iter().zip(&found).find(|(_, found)| found.is_none());
    if let Some((key, _)) = missing {
        let message = format!("{key} has not signed; give a --signature of each key");
        return Err(refused("signature-missing", message));
    }
    Ok(found.into_iter().flatten().collect())
}

const NO_SIGNATURE: &str = "a signature was made by none of the keys, or of other bytes than were \
                            handed out; sign the message itself with Ed25519, without hashing it";

/// The 64 bytes of a signature, as they are or in base64.
fn signature(given: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Failure> {
    if let Ok(bytes) = given.try_into() {
        return Ok(bytes);
    }
    let either =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = given.trim_ascii();
    let decoded = [&STANDARD, &URL_SAFE].into_iter().find_map(|alphabet| {
        let bytes = GeneralPurpose::new(alphabet, either).decode(text).ok()?;
        bytes.try_into().ok()
    });
    decoded.ok_or_else(|| {
        let message = "a signature is neither 64 bytes nor their base64; give what the signer gave";
        Failure::bad_input("signature-malformed", message)
    })
}

fn load(folder: &Folder) -> Result<Option<Pending>, Failure> {
    let path = folder.pending();
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = disk::read(&path, PENDING_BYTES_MAX)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let message = format!("{}: {error}; remove the file and prepare anew", path.display());
        Failure::bad_input("pending-malformed", message)
    })
}

/// The head that waits, if one does.
pub(crate) fn head(folder: &Folder) -> Result<Option<Head>, Failure> {
    let Some(pending) = load(folder)? else { return Ok(None) };
    Ok(Some(read_unverified(&pending.head)?.head))
}

/// Waits no more.
pub(super) fn forget(folder: &Folder) -> Result<(), Failure> {
    let path = folder.pending();
    if path.is_file() { folder.remove(&path) } else { Ok(()) }
}

fn nothing_pending() -> Failure {
    let message = "no snapshot waits for signatures; prepare one with --unsigned-out";
    Failure::bad_input("nothing-pending", message)
}

fn refused(code: &str, message: impl Into<String>) -> Failure {
    Failure { code: code.into(), message: message.into(), exit: Exit::Refused }
}
