//! Who may say what is true: keys, heads and their signatures.
//!
//! A head is a `COSE_Sign` message (RFC 9052) in a strict profile that `docs/FORMAT.md` describes.
//! There is one way in: [`verify`] turns bytes into a [`VerifiedHead`], and nothing else can.

mod base64url;
mod cbor;
mod envelope;
mod head;
mod keys;
mod published;
mod sign;
mod verify;

pub use envelope::{HEAD_BYTES_MAX, SIGNATURES_MAX};
pub use head::Head;
pub use keys::{KeyId, Keyring, SecretKey, TrustedKey};
pub use sign::{HeadSignature, assemble, sign, to_be_signed};
pub use verify::{UnverifiedHead, VerifiedHead, read_unverified, verify};
