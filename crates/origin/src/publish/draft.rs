//! A head that says what is to be true, and is not signed yet.

use edgegrant::snapshot::{Counts, Roots};
use edgegrant::trust::{Head, HeadSignature, SecretKey, TrustedKey, assemble, sign};
use edgegrant::{Instant, Interval, Recurrence};

use super::state::State;
use super::{Published, Terms, pending};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::heads;

/// A head whose parts are all in the folder, and what the publisher remembers once it is signed.
pub(super) struct Draft {
    pub(super) head: Head,
    pub(super) state: State,
    /// What is told of it.
    pub(super) summary: Published,
}

impl Draft {
    /// A head for a body, with the version that the state gave to it.
    pub(super) fn new(
        terms: &Terms,
        state: State,
        roots: &Roots,
        usage_as_of: Instant,
        counts: Counts,
    ) -> Result<Self, Failure> {
        let after = |interval: Interval| {
            let points = Recurrence { interval, anchor: terms.now };
            let out_of_range = "the snapshot would hold beyond the year 9999; shorten its validity";
            points.nth(1).ok_or_else(|| Failure::bad_input("validity-out-of-range", out_of_range))
        };
        let head = Head {
            audience: terms.audience.clone(),
            version: state.version,
            issued_at: terms.now,
            stale_after: after(terms.stale_after)?,
            expires_at: after(terms.expires_after)?,
            dead_at: after(terms.dead_after)?,
            usage_as_of,
            root: roots.root.0,
            catalogue: roots.catalogue.0,
            pack_length: roots.pack_length,
            shrunk_at_version: state.shrunk_at_version,
        };
        let summary = Published {
            version: head.version,
            subjects: counts.subjects,
            entitlements: counts.entitlements,
            pack_bytes: roots.pack_length,
            parts: 0,
            new_parts: 0,
            usage_as_of: usage_as_of.to_string(),
            expires_at: head.expires_at.to_string(),
            trusted_keys: Vec::new(),
        };
        Ok(Self { head, state, summary })
    }

    /// Signs the head and lets gates see it.
    pub(super) fn sign(self, keys: &[SecretKey], folder: &Folder) -> Result<Published, Failure> {
        let signed = sign(&self.head, keys)?;
        self.publish(&signed, keys.iter().map(SecretKey::trusted_key), folder)
    }

    /// Lets gates see the signed head. It is remembered before anybody can have seen it, so that
    /// whatever it names is kept for as long as it holds.
    pub(super) fn publish(
        self,
        signed: &[u8],
        keys: impl Iterator<Item = TrustedKey>,
        folder: &Folder,
    ) -> Result<Published, Failure> {
        folder.keep(&folder.heads().join(self.head.version.to_string()), signed)?;
        self.state.save(folder)?;
        folder.settle()?;
        folder.serve(&folder.head(), signed)?;
        pending::forget(folder)?;
        let trusted_keys = keys.map(|key| key.to_string()).collect();
        Ok(Published { trusted_keys, ..self.summary })
    }
}

/// A head with blanks in the place of its signatures: as long as it will be.
///
/// Asked for before anything is written, so that a head which cannot be signed leaves no trace.
pub(super) fn blank(head: &Head, keys: &[TrustedKey]) -> Result<Vec<u8>, Failure> {
    let blank = |key: &TrustedKey| HeadSignature { key_id: key.id(), bytes: [0; 64] };
    Ok(assemble(head, &keys.iter().map(blank).collect::<Vec<_>>())?)
}

/// Gives a state the next version: above every earlier one, also above that of a head whose
/// publisher's state was lost.
pub(super) fn number(state: &mut State, folder: &Folder, now: Instant) {
    // A head that cannot be read is about to be replaced.
    let published = heads::present(folder).ok().flatten().map(|kept| kept.head);
    let last = published.as_ref().map_or(0, |head| head.version).max(state.version);
    let shrunk = published.map_or(0, |head| head.shrunk_at_version);
    state.version = now.millis().unsigned_abs().max(last.saturating_add(1));
    state.shrunk_at_version = state.shrunk_at_version.max(shrunk);
}

/// Refuses to sign twice with one key, whatever its epochs: gates count it once.
pub(super) fn distinct(keys: &[TrustedKey]) -> Result<(), Failure> {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let mut bytes: Vec<&str> = keys.iter().filter_map(|key| key.rsplit(':').next()).collect();
    bytes.sort_unstable();
    if bytes.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        let message = "the same key is named twice and would sign twice; name each once";
        return Err(Failure::bad_input("key-duplicate", message));
    }
    Ok(())
}
