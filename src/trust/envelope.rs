//! The frame around a head: `COSE_Sign` with nothing that a head does not need.

use minicbor::Encoder;
use minicbor::data::Tag;

use super::cbor::{MALFORMED, Reader};
use super::keys::KeyId;
use crate::error::Error;

/// The longest head, in bytes.
pub const HEAD_BYTES_MAX: usize = 1024;
/// The most signatures of one head.
pub const SIGNATURES_MAX: usize = 8;

/// What is signed along with a head but not sent: it keeps signatures of other messages out.
const EXTERNAL_AAD: &[u8] = b"edgegrant-head";
const TAG_COSE_SIGN: u64 = 98;
const HEADER_ALGORITHM: i64 = 1;
const HEADER_KEY_ID: i64 = 4;
const ALGORITHM_EDDSA: i64 = -8;

const TOO_LARGE: Error = Error::new(
    "head-too-large",
    "the head exceeds 1024 bytes; sign with fewer keys or shorten the audience",
);
const SIGNATURE_COUNT: Error =
    Error::new("signature-count", "a head carries 1 to 8 signatures; sign it with as many keys");
const ALGORITHM: Error = Error::new(
    "signature-algorithm",
    "a signature's algorithm is not EdDSA; sign the head with an Ed25519 key",
);

/// A head as it was received: nothing in it is verified.
pub(super) struct Envelope<'a> {
    pub(super) payload: &'a [u8],
    pub(super) signatures: Vec<Signature<'a>>,
}

pub(super) struct Signature<'a> {
    pub(super) key_id: KeyId,
    protected: &'a [u8],
    pub(super) bytes: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(TOO_LARGE);
        }
        let mut reader = Reader::new(bytes);
        reader.tag(TAG_COSE_SIGN)?;
        expect(reader.array()? == 4)?;
        // The message itself has no header: its type stands in the payload and the external data.
        expect(reader.bytes()?.is_empty())?;
        expect(reader.map()? == 0)?;
        let payload = reader.bytes()?;
        let count = reader.array()?;
        if count == 0 || count > SIGNATURES_MAX as u64 {
            return Err(SIGNATURE_COUNT);
        }
        let signatures =
            (0..count).map(|_| Signature::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        reader.end()?;
        Ok(Self { payload, signatures })
    }

    /// The bytes that `signature` signs: `Sig_structure` of RFC 9052 §4.4.
    pub(super) fn signed_bytes(&self, signature: &Signature<'_>) -> Vec<u8> {
        sig_structure(signature.protected, self.payload)
    }
}

impl<'a> Signature<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        expect(reader.array()? == 3)?;
        let protected = reader.bytes()?;
        let key_id = read_protected(protected)?;
        expect(reader.map()? == 0)?;
        Ok(Self { key_id, protected, bytes: reader.bytes()? })
    }
}

fn read_protected(bytes: &[u8]) -> Result<KeyId, Error> {
    let mut reader = Reader::new(bytes);
    expect(reader.map()? == 2)?;
    expect(reader.integer()? == HEADER_ALGORITHM)?;
    if reader.integer() != Ok(ALGORITHM_EDDSA) {
        return Err(ALGORITHM);
    }
    expect(reader.integer()? == HEADER_KEY_ID)?;
    let key_id = KeyId::from_bytes(reader.bytes()?).ok_or(MALFORMED)?;
    reader.end()?;
    Ok(key_id)
}

fn expect(holds: bool) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(MALFORMED) }
}

/// What a key signs for a payload.
pub(super) fn signed_by(key_id: KeyId, payload: &[u8]) -> Vec<u8> {
    sig_structure(&protected_header(key_id), payload)
}

fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    written(|e| {
        e.array(5)?.str("Signature")?.bytes(&[])?.bytes(protected)?;
        e.bytes(EXTERNAL_AAD)?.bytes(payload)?;
        Ok(())
    })
}

fn protected_header(key_id: KeyId) -> Vec<u8> {
    written(|e| {
        e.map(2)?.i64(HEADER_ALGORITHM)?.i64(ALGORITHM_EDDSA)?;
        e.i64(HEADER_KEY_ID)?.bytes(&key_id.to_bytes())?;
        Ok(())
    })
}

/// Puts a payload and its signatures together.
pub(super) fn write(payload: &[u8], signatures: &[(KeyId, [u8; 64])]) -> Result<Vec<u8>, Error> {
    if signatures.is_empty() || signatures.len() > SIGNATURES_MAX {
        return Err(SIGNATURE_COUNT);
    }
    let bytes = written(|e| {
        e.tag(Tag::new(TAG_COSE_SIGN))?.array(4)?.bytes(&[])?.map(0)?.bytes(payload)?;
        e.array(signatures.len() as u64)?;
        for (key_id, signature) in signatures {
            e.array(3)?.bytes(&protected_header(*key_id))?.map(0)?.bytes(signature)?;
        }
        Ok(())
    });
    if bytes.len() > HEAD_BYTES_MAX { Err(TOO_LARGE) } else { Ok(bytes) }
}

type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

/// The bytes that `write` leaves; writing to memory cannot fail.
pub(super) fn written(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let _infallible = write(&mut encoder);
    encoder.into_writer()
}
