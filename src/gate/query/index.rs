//! Who is entitled to the features that were asked for lately.

use crate::error::Error;
use crate::snapshot::{Body, Holders};

/// The indexes of one body, dropped together with it.
#[derive(Default)]
pub(crate) struct Indexes {
    /// The features in the order in which they were first asked for.
    made: Vec<(String, Holders)>,
}

/// How many indexes are kept.
const KEPT: usize = 8;

impl Indexes {
    /// Makes the index of a feature unless it is there, or the feature is unknown. The oldest makes
    /// room.
    pub(super) fn make(&mut self, body: &Body, feature: &str) -> Result<(), Error> {
        let Some(feature) = body.catalogue().feature(feature) else { return Ok(()) };
        if self.of(feature.key).is_none() {
            let holders = body.holders(&feature)?;
            self.made.truncate(KEPT - 1);
            self.made.insert(0, (feature.key.to_owned(), holders));
        }
        Ok(())
    }

    /// The index of a feature, if it was made.
    pub(super) fn of(&self, feature: &str) -> Option<&Holders> {
        self.made.iter().find(|(key, _)| key == feature).map(|(_, holders)| holders)
    }
}
