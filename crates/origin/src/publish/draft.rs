//! A head that says what is to be true, and is not signed yet.

use edgegrant::snapshot::{Counts, Roots};
use edgegrant::trust::{
    Head, HeadSignature, Keyring, SecretKey, TrustedKey, assemble, sign, verify,
};
use edgegrant::{Error, Instant, Interval, Recurrence};

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
/// publisher's state was lost. Under a new epoch a version that runs ahead of the clock, as a thief
/// of a key can leave it, does not count any more.
pub(super) fn number(
    state: &mut State,
    keys: &[TrustedKey],
    folder: &Folder,
    now: Instant,
) -> Result<(), Failure> {
    let published = own_head(state, keys, folder);
    let last = published.as_ref().map_or(0, |head| head.version).max(state.version);
    let epochs = keys.iter().map(|key| key.id().epoch());
    // A publisher that lost its state does not know which epochs there were.
    let is_new_epoch = state.epoch > 0 && epochs.clone().min() > Some(state.epoch);
    let clock = now.millis().unsigned_abs();
    let restarts = is_new_epoch && last > clock.saturating_add(DAY_MS);
    let last = if restarts { 0 } else { last };
    state.version = clock.max(last.checked_add(1).ok_or(EXHAUSTED)?);
    state.epoch = epochs.max().unwrap_or_default().max(state.epoch);
    let shrunk = published.map_or(0, |head| head.shrunk_at_version).max(state.shrunk_at_version);
    state.shrunk_at_version = if restarts { 0 } else { shrunk };
    Ok(())
}

const DAY_MS: u64 = 24 * 3_600_000;

const EXHAUSTED: Error = Error::new(
    "version-exhausted",
    "somebody published the highest version there is; sign with keys of a new epoch",
);

/// What `public/head` says, if this publisher or one of its keys signed it. Whoever keeps the files
/// can put anything there, and must not choose versions by it.
fn own_head(state: &State, keys: &[TrustedKey], folder: &Folder) -> Option<Head> {
    let kept = heads::present(folder).ok()??;
    let remembered = || heads::kept(folder).is_ok_and(|heads| heads.contains(&kept));
    let signed = || {
        let keyring = Keyring::new(keys.to_vec(), 1).ok()?;
        verify(&kept.bytes, &keyring, &state.audience).ok()
    };
    (remembered() || signed().is_some()).then_some(kept.head)
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
