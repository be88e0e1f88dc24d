//! What a publisher keeps from one publishing to the next.

use edgegrant::Error;
use edgegrant::snapshot::Counts;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// The publisher's memory of an audience. The seed is a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) audience: String,
    pub(super) seed: [u8; 32],
    /// The highest version that was given to a head, whether it was published or not.
    pub(super) version: u64,
    /// The highest epoch whose keys signed.
    #[serde(default)]
    pub(super) epoch: u32,
    pub(super) page_bits: Option<u8>,
    /// Subjects of the last published snapshot.
    pub(super) subjects: u64,
    /// What these were entitled to; 0 where it was not counted.
    #[serde(default)]
    pub(super) entitlements: u64,
    pub(super) shrunk_at_version: u64,
}

const MAX_BYTES: u64 = 1 << 16;

impl State {
    /// The state of the folder, if anything was published into it.
    pub(super) fn load(folder: &Folder, audience: &str) -> Result<Option<Self>, Failure> {
        let path = folder.state();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = disk::read(&path, MAX_BYTES)?;
        let state: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("{}: {error}; restore the file", path.display());
            Failure::bad_input("state-malformed", message)
        })?;
        if state.audience != audience {
            let message = "the folder is published for another audience; choose another folder";
            return Err(Failure::bad_input("audience-mismatch", message));
        }
        Ok(Some(state))
    }

    /// The state before a first publishing.
    pub(super) fn first(audience: &str) -> Result<Self, Failure> {
        Ok(Self {
            audience: audience.to_owned(),
            seed: random()?,
            version: 0,
            epoch: 0,
            page_bits: None,
            subjects: 0,
            entitlements: 0,
            shrunk_at_version: 0,
        })
    }

    /// Remembers how many subjects and entitlements there are. A sudden loss must be meant: gates
    /// refuse that of subjects, but not that of all that these are entitled to.
    pub(super) fn count(&mut self, counts: Counts, allow_shrink: bool) -> Result<(), Failure> {
        let Counts { subjects, entitlements, .. } = counts;
        if has_shrunk(self.subjects, subjects) || has_shrunk(self.entitlements, entitlements) {
            if !allow_shrink {
                return Err(SHRUNK.into());
            }
            self.shrunk_at_version = self.version;
        }
        (self.subjects, self.entitlements) = (subjects, entitlements);
        Ok(())
    }

    pub(super) fn save(&self, folder: &Folder) -> Result<(), Failure> {
        let text = serde_json::to_string(self).unwrap_or_default();
        folder.keep(&folder.state(), text.as_bytes())
    }
}

/// Whether so many are gone that it needs a word of somebody.
pub(crate) const fn has_shrunk(before: u64, now: u64) -> bool {
    now.saturating_mul(2) < before
}

/// Bytes that nobody can guess.
pub(crate) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure {
        code: "no-randomness".into(),
        message: format!("the system gives no random bytes: {error}"),
        exit: Exit::Io,
    })?;
    Ok(bytes)
}

const SHRUNK: Error = Error::new(
    "snapshot-shrunk",
    "more than half of the subjects or of their entitlements are gone; check the facts, or say \
     --allow-shrink",
);
