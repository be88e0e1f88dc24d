//! What features there are.

use super::{LIMIT, Listing};
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
        if named.is_some_and(|names| names.len() > Listing::LIMIT_MAX) {
            return Err(LIMIT);
        }
        let mut features: Vec<_> = match named {
            Some(names) => names.iter().filter_map(|name| catalogue.feature(name)).collect(),
            None => catalogue.features().collect(),
        };
        features.sort_unstable_by_key(|feature| feature.key);
        features.dedup_by_key(|feature| feature.key);
        let told = features.iter().map(|feature| {
            let (when_expired, policy_source) = self.options.policies.of(feature);
            let unit = feature.unit.map(str::to_owned);
            CatalogueFeature { feature: feature.key.to_owned(), unit, when_expired, policy_source }
        });
        Ok(told.collect())
    }
}
