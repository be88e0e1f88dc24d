//! Where a list goes on.

use super::{LIMIT, Listing};
use crate::error::Error;
use crate::snapshot::{Body, Place};

/// An entitlement in a body: the next to look at.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) place: Place,
    /// Which of the subject's entries.
    pub(super) entry: usize,
}

/// As many digits of the body's name as tell snapshots apart, and as many for the place.
const DIGITS: usize = 16;
const ENTRY_BITS: u32 = 16;

impl Cursor {
    /// Where a list begins, or goes on.
    pub(super) fn read(body: &Body, listing: &Listing<'_>) -> Result<Self, Error> {
        if !(1..=Listing::LIMIT_MAX).contains(&listing.limit) {
            return Err(LIMIT);
        }
        let Some(token) = listing.after else {
            return Ok(Self { place: Place::FIRST, entry: 0 });
        };
        let digits = token.len() == 2 * DIGITS && token.bytes().all(|b| b.is_ascii_hexdigit());
        let (name, place) = token.split_at_checked(DIGITS).filter(|_| digits).ok_or(MALFORMED)?;
        if !body.roots().pack_name().starts_with(name) {
            return Err(OUTDATED);
        }
        let number = u64::from_str_radix(place, 16).map_err(|_| MALFORMED)?;
        let entry = (number & ((1 << ENTRY_BITS) - 1)) as usize;
        Ok(Self { place: Place::numbered(number >> ENTRY_BITS), entry })
    }

    /// The token that leads back here in the same body.
    pub(super) fn write(self, body: &Body) -> String {
        let mut token = body.roots().pack_name();
        token.truncate(DIGITS);
        let number = self.place.number() << ENTRY_BITS | self.entry as u64;
        token + &format!("{number:016x}")
    }
}

const MALFORMED: Error = Error::new(
    "token-malformed",
    "the token is none that a list gave; pass `next` as it came, or nothing to begin",
);
const OUTDATED: Error = Error::new(
    "token-outdated",
    "the snapshot has been replaced since the list began; begin it anew, without a token",
);
