//! What is left of a gate when the instance that it lives in dies, and how it is brought back.

use super::bundle::frame;
use super::refresh::Offer;
use super::{Gate, Origin};
use crate::error::Error;
use crate::snapshot::{Body, PackPieces, Spans};
use crate::trust::verify;

/// The bytes from which a gate can be made again, by whoever verifies them again.
pub struct Remains<'a> {
    /// The signed head.
    pub head: &'a [u8],
    /// Where the snapshot came from.
    pub origin: Origin,
    /// The catalogue.
    pub catalogue: &'a [u8],
    body: &'a Body,
}

impl<'a> Remains<'a> {
    /// The whole pack, where all of it is resident.
    #[must_use]
    pub fn pack(&self) -> Option<PackPieces<'a>> {
        self.body.pack()
    }

    /// Where nodes and pages lie, where all of them are resident.
    #[must_use]
    pub fn spans(&self) -> Option<Spans<'a>> {
        self.body.spans()
    }

    /// What stands before head and pack in a snapshot in one file.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        frame(self.head)
    }

    /// The snapshot in one file, where all of it is resident.
    #[must_use]
    pub fn bundle(&self) -> Option<Vec<u8>> {
        let pack = self.pack()?;
        let pieces: Vec<&[u8]> = pack.iter().collect();
        Some([&self.frame(), self.head, &pieces.concat()].concat())
    }
}

impl Gate {
    /// What is needed to bring this gate back; `None` before the first snapshot.
    #[must_use]
    pub fn remains(&self) -> Option<Remains<'_>> {
        let present = self.present.as_ref()?;
        Some(Remains {
            head: present.head.bytes(),
            origin: present.origin,
            catalogue: present.body.catalogue().bytes(),
            body: &present.body,
        })
    }

    /// Takes a head that this gate had before its instance died. It was admitted once, so its times
    /// do not count any more; all else is verified as before.
    ///
    /// # Errors
    /// The codes of [`verify`], `head-rollback` and `head-equivocation`.
    pub fn resume(&mut self, head: &[u8], origin: Origin) -> Result<Offer, Error> {
        let head = verify(head, &self.options.keyring, &self.options.audience)?;
        self.begin(head, origin, None)
    }

    /// Lets answers be given by policy, as if the snapshot had expired, until this is taken back.
    pub const fn distrust(&mut self, distrusted: bool) {
        self.distrusted = distrusted;
    }
}
