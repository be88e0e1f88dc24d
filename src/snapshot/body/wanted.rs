//! Parts by their names, while they are on their way.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::parts::Spot;
use crate::snapshot::Digest;

/// Where each part belongs that is wanted.
pub(super) type WantedParts = HashMap<Digest, Spot, BuildHasherDefault<Name>>;

/// A digest is as good a hash as any: its last bytes are taken for one.
#[derive(Default)]
pub(super) struct Name(u64);

impl Hasher for Name {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.last_chunk().map_or(self.0, |last| u64::from_le_bytes(*last));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
