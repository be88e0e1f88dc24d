//! Where JavaScript leaves the name of a subject, so that none is allocated.
//!
//! `pkg/src/names.ts` writes it.

/// As many bytes as the longest id takes that JavaScript lets through: 256 UTF-16 units.
const BYTES: usize = 256 * 3;

/// Room for the id of a subject, whose address stays the same.
pub(super) struct Name(Box<[u8; BYTES]>);

impl Default for Name {
    fn default() -> Self {
        Self(Box::new([0; BYTES]))
    }
}

impl Name {
    pub(super) const fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    /// The name with a length.
    #[inline(always)]
    pub(super) fn read(&self, length: u32) -> &[u8] {
        self.0.get(..length as usize).unwrap_or_default()
    }
}
