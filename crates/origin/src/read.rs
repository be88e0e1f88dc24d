//! Reading a snapshot wherever it lies: in a folder, in a file, at an address.
//!
//! What has parts one by one is read page by page, so that memory does not grow with the number of
//! subjects. Nothing here asks who signed.

mod client;
mod target;

use edgegrant::snapshot::{Body, Counts, Digest, Offered, Roots};
use edgegrant::trust::{UnverifiedHead, read_unverified};

pub use client::Client;
pub use target::Target;

use crate::failure::Failure;
use crate::folder;

/// A snapshot that is read: its head, and its body as far as it was needed.
pub struct Snapshot {
    /// The head as it lies there.
    pub head_bytes: Vec<u8>,
    /// What the head says.
    pub head: UnverifiedHead,
    /// The body. Its pages are resident once [`Snapshot::fetch`] was asked for them.
    pub body: Body,
    target: Target,
    /// Whether parts are read one by one.
    by_parts: bool,
}

impl Snapshot {
    /// Reads the head, and the catalogue or all that is in one file.
    ///
    /// # Errors
    /// What cannot be read, and a head or catalogue that is refused.
    pub fn open(target: Target) -> Result<Self, Failure> {
        let head_bytes = target.head()?;
        let head = read_unverified(&head_bytes).map_err(|error| Failure::refused(&error))?;
        Self::open_body(target, head_bytes, head)
    }

    fn open_body(
        target: Target,
        head_bytes: Vec<u8>,
        head: UnverifiedHead,
    ) -> Result<Self, Failure> {
        let roots = folder::roots(&head.head);
        let usage_as_of = head.head.usage_as_of;
        let by_parts = target.has_parts();
        let body = if by_parts {
            let catalogue = target.part(&roots.catalogue)?;
            let opened = Offered::new(&roots, usage_as_of, false, None).and_then(|mut offered| {
                offered.supply(roots.catalogue, &catalogue, None)?;
                offered.give_up();
                offered.finish()
            });
            opened.map_err(|error| Failure::refused(&error))?
        } else {
            let pack = target.pack(&roots)?;
            let opened = Body::open(pack, &roots, usage_as_of);
            opened.map_err(|error| Failure::refused(&error))?
        };
        Ok(Self { head_bytes, head, body, target, by_parts })
    }

    /// The digests by which the head names the body.
    #[must_use]
    pub const fn roots(&self) -> Roots {
        *self.body.roots()
    }

    /// Makes a page resident.
    ///
    /// # Errors
    /// A part that cannot be read or is refused.
    pub fn fetch(&mut self, page: u32) -> Result<(), Failure> {
        while let Some(name) = self.needs(page)? {
            if !self.by_parts {
                // Of a file everything is there already, so what is needed is there and bad.
                let bad = self.body.verify_page(page).map(|_| ());
                return bad.map_err(|error| Failure::refused(&error));
            }
            let bytes = self.target.part(&name)?;
            let kept = self.body.keep_for_page(page, &bytes);
            kept.map_err(|error| Failure::refused(&error))?;
        }
        Ok(())
    }

    /// Makes the nodes above a page resident and says how the page is named.
    ///
    /// # Errors
    /// As [`Snapshot::fetch`].
    pub fn name(&mut self, page: u32) -> Result<Digest, Failure> {
        loop {
            let refused = match self.body.page_name(page) {
                Ok(name) => return Ok(name),
                Err(error) => error,
            };
            let needed = self.needs(page)?.filter(|_| self.by_parts);
            let name = needed.ok_or_else(|| Failure::refused(&refused))?;
            let bytes = self.target.part(&name)?;
            let kept = self.body.keep_for_page(page, &bytes);
            kept.map_err(|error| Failure::refused(&error))?;
        }
    }

    /// Lets go of a page that can be read again.
    pub fn leave(&mut self, page: u32) {
        if self.by_parts {
            self.body.drop_page(page);
        }
    }

    fn needs(&self, page: u32) -> Result<Option<Digest>, Failure> {
        self.body.page_needs(page).map_err(|error| Failure::refused(&error))
    }

    /// Verifies and counts every part and everything in it, page by page.
    ///
    /// # Errors
    /// What cannot be read, and the code of the first thing that is wrong.
    pub fn verify(&mut self) -> Result<(), Failure> {
        let refused = |error| Failure::refused(&error);
        let mut counts = Counts::default();
        for page in 0..self.body.pages() {
            self.fetch(page)?;
            counts += self.body.verify_page(page).map_err(refused)?;
            self.leave(page);
        }
        self.body.verify_counts(counts).map_err(refused)
    }
}
