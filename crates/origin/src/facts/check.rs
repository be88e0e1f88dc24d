//! Rules that span lines: what is unique, what must be declared before it is used.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher as _;

use edgegrant::model::{Entitlement, Fact, Feature, Subject};
use edgegrant::snapshot::{self, FeatureRecord, Inadmissible};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{Entry, Problem, feature_record};

/// How many features may be declared: the catalogue, which names them all, stays small.
const MAX_FEATURES: usize = 4096;
/// How many aliases a subject may have.
const MAX_ALIASES: usize = 256;
const MAX_SUBJECT_BYTES: usize = 256;
const MAX_FEATURE_BYTES: usize = 128;

/// Checks facts against those before them.
///
/// Subject ids and aliases are remembered as hashes of 128 bits, about 32 bytes each; features, of
/// which there are few, by name.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    features: HashMap<String, FeatureRecord>,
    subjects: HashSet<u128>,
}

impl Checker {
    /// How many features have been declared.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features.len()
    }

    /// Checks a fact and remembers it.
    ///
    /// # Errors
    /// A [`Problem`] without its line number: `duplicate-subject`, `duplicate-alias`,
    /// `duplicate-entitlement`, `duplicate-feature`, `undeclared-feature`, or a length or number
    /// out of range.
    pub fn check(&mut self, fact: &Fact) -> Result<(), Problem> {
        match fact {
            Fact::Feature(feature) => self.declare(feature),
            Fact::Subject(subject) => self.check_subject(subject),
        }
    }

    /// Checks that a fact fits into a snapshot, after it was compiled.
    ///
    /// # Errors
    /// A [`Problem`] without its line number and with a code of [`snapshot::admit`].
    pub fn admit(&self, entry: &Entry) -> Result<(), Problem> {
        let Entry::Subject(subject) = entry else { return Ok(()) };
        let admitted = snapshot::admit(subject, |feature| self.features.get(feature));
        admitted.map_err(|Inadmissible { entitlement, error }| {
            let path =
                entitlement.map_or("entitlements".into(), |at| format!("entitlements[{at}]"));
            Problem::new(path, error.code(), error.message())
        })
    }

    fn declare(&mut self, feature: &Feature) -> Result<(), Problem> {
        check_length("feature", &feature.feature, MAX_FEATURE_BYTES)?;
        let unit = feature.unit.as_ref();
        unit.map_or(Ok(()), |unit| check_length("unit", unit, MAX_FEATURE_BYTES))?;
        if self.features.len() == MAX_FEATURES {
            let message = "more than 4096 features are declared; split the product";
            return Err(Problem::new("feature", "too-many-features", message));
        }
        let record = feature_record(feature.clone());
        if self.features.insert(feature.feature.clone(), record).is_none() {
            return Ok(());
        }
        let message = "the feature is declared twice; remove one declaration";
        Err(Problem::new("feature", "duplicate-feature", message))
    }

    fn check_subject(&mut self, subject: &Subject) -> Result<(), Problem> {
        let Self { features, subjects } = self;
        check_subject(features, &mut |id| subjects.insert(hash(id)), subject)
    }

    /// Checks a subject as [`Checker::check`] does, but for whether its id or an alias is there
    /// twice.
    pub(crate) fn check_alone(&self, subject: &Subject) -> Result<(), Problem> {
        check_subject(&self.features, &mut |_| true, subject)
    }
}

fn check_subject(
    features: &HashMap<String, FeatureRecord>,
    is_new: &mut dyn FnMut(&str) -> bool,
    subject: &Subject,
) -> Result<(), Problem> {
    check_length("subject", &subject.subject, MAX_SUBJECT_BYTES)?;
    if !is_new(&subject.subject) {
        return Err(duplicate(None));
    }
    if subject.aliases.len() > MAX_ALIASES {
        let message = "the subject has more than 256 aliases; keep those that are asked for";
        return Err(Problem::new("aliases", "too-many-aliases", message));
    }
    for (index, alias) in subject.aliases.iter().enumerate() {
        check_length(&alias_path(index as u64), alias, MAX_SUBJECT_BYTES)?;
        if !is_new(alias) {
            return Err(duplicate(Some(index as u64)));
        }
    }
    let mut seen = HashSet::new();
    for (index, entitlement) in subject.entitlements.iter().enumerate() {
        let path = format!("entitlements[{index}]");
        check_feature(features, &mut seen, &path, entitlement)?;
    }
    Ok(())
}

/// That the id of a subject is there twice, or its alias in some place.
pub(super) fn duplicate(alias: Option<u64>) -> Problem {
    if let Some(index) = alias {
        let message = "the alias names another subject or stands twice; remove it";
        return Problem::new(alias_path(index), "duplicate-alias", message);
    }
    let message = "the subject stands on an earlier line or is an alias there; merge them";
    Problem::new("subject", "duplicate-subject", message)
}

fn alias_path(index: u64) -> String {
    format!("aliases[{index}]")
}

/// Whether a subject's names are of a length that they may have, and not too many.
pub(super) fn fits(id: &str, aliases: &[String]) -> bool {
    let fits = |id: &str| (1..=MAX_SUBJECT_BYTES).contains(&id.len());
    fits(id) && aliases.len() <= MAX_ALIASES && aliases.iter().all(|alias| fits(alias))
}

fn check_feature<'a>(
    features: &HashMap<String, FeatureRecord>,
    seen: &mut HashSet<&'a str>,
    path: &str,
    entitlement: &'a Entitlement,
) -> Result<(), Problem> {
    let (code, message) = if !features.contains_key(&entitlement.feature) {
        ("undeclared-feature", "the feature is not declared on an earlier line; declare it")
    } else if !seen.insert(&entitlement.feature) {
        ("duplicate-entitlement", "the subject has this feature twice; keep one entitlement")
    } else {
        return Ok(());
    };
    Err(Problem::new(format!("{path}.feature"), code, message))
}

fn check_length(path: &str, text: &str, most: usize) -> Result<(), Problem> {
    if (1..=most).contains(&text.len()) {
        return Ok(());
    }
    let message = format!("the name must have 1 to {most} bytes; shorten or write it");
    Err(Problem::new(path, "name-length", message))
}

/// A hash that no two ids will share by chance.
fn hash(id: &str) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(id.as_bytes());
    hasher.finish128().as_u128()
}
