//! What features there are.

use super::{put, sorted};
use crate::error::Error;
use crate::gate::{Gate, NO_SNAPSHOT, PolicySource, WhenExpired};

/// A feature of the catalogue.
///
/// A snapshot has no more of it: attributes, such as the class of a product, stay in the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFeature {
    /// The key.
    pub feature: String,
    /// What amounts count, for people.
    pub unit: Option<String>,
    /// The answer once the snapshot has expired.
    pub when_expired: WhenExpired,
    /// Whose policy that is.
    pub policy_source: PolicySource,
}

impl Gate {
    /// The features that somebody named, or all, ordered by key. Those that are unknown are left
    /// out.
    ///
    /// # Errors
    /// `no-snapshot` before the first; `list-limit` for more than 1000 names.
    pub fn catalogue(&self, named: Option<&[String]>) -> Result<Vec<CatalogueFeature>, Error> {
        let catalogue = self.present.as_ref().ok_or(NO_SNAPSHOT)?.body.catalogue();
        let keys = match named {
            Some(names) => sorted(names)?,
            None => {
                let mut keys = Vec::new();
                catalogue.features().for_each(|feature| put(&mut keys, feature.key));
                keys
            }
        };
        let mut features = Vec::with_capacity(keys.len());
        for feature in keys.into_iter().filter_map(|key| catalogue.feature(key)) {
            let (when_expired, policy_source) = self.options.policies.of(&feature);
            let (feature, unit) = (feature.key.to_owned(), feature.unit.map(str::to_owned));
            features.push(CatalogueFeature { feature, unit, when_expired, policy_source });
        }
        Ok(features)
    }
}
