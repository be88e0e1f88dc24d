//! Entitlements that many subjects have, each kept once for all of them.

use std::sync::{Mutex, PoisonError};

use edgegrant::snapshot::PackedEntitlement;

/// How many bytes are kept; what comes later stands with every subject that has it.
const BYTES_MAX: usize = 8 << 20;

/// What is kept, by places that never change.
#[derive(Debug, Default)]
pub(crate) struct Common(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entitlements: Vec<Vec<u8>>,
    bytes: usize,
}

impl Common {
    /// The entitlement told by its place, if there is room for it.
    pub(super) fn told(&self, packed: PackedEntitlement) -> PackedEntitlement {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes >= BYTES_MAX {
            return packed;
        }
        let (told, bytes) = packed.common(kept.entitlements.len());
        kept.bytes += bytes.len();
        kept.entitlements.push(bytes);
        told
    }

    /// What is kept, in order.
    pub(super) fn into_entitlements(self) -> Vec<Vec<u8>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).entitlements
    }

    #[cfg(test)]
    pub(super) fn full() -> Self {
        Self(Mutex::new(Kept { entitlements: Vec::new(), bytes: BYTES_MAX }))
    }
}
