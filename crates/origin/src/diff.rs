//! What changed from one snapshot to another, and for whom.
//!
//! Pages whose digest is the same are not even read. Where both snapshots place subjects alike,
//! which is so unless their number changed a lot or the publisher lost its state, they are compared
//! page by page; else both are held as a whole.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use edgegrant::snapshot::{Body, EntitlementRecord, Feature, Subject};
use serde::Serialize;

use crate::failure::Failure;
use crate::read::Snapshot;

/// A field that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is, in words.
    pub field: String,
    /// What it was, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is now, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Change {
    /// A feature is declared that was not.
    FeatureAdded {
        /// Its key.
        feature: String,
    },
    /// A feature is declared no more.
    FeatureRemoved {
        /// Its key.
        feature: String,
    },
    /// A feature is declared otherwise.
    FeatureChanged {
        /// Its key.
        feature: String,
        /// How.
        fields: Vec<Field>,
    },
    /// There is a subject that there was not.
    SubjectAdded {
        /// Its id.
        subject: String,
        /// What it is entitled to.
        features: Vec<String>,
    },
    /// There is a subject no more.
    SubjectRemoved {
        /// Its id.
        subject: String,
        /// What it was entitled to.
        features: Vec<String>,
    },
    /// An entitlement was given.
    EntitlementAdded {
        /// Whose.
        subject: String,
        /// To what.
        feature: String,
    },
    /// An entitlement was taken away.
    EntitlementRemoved {
        /// Whose.
        subject: String,
        /// To what.
        feature: String,
    },
    /// An entitlement says something else.
    EntitlementChanged {
        /// Whose.
        subject: String,
        /// To what.
        feature: String,
        /// How.
        fields: Vec<Field>,
    },
    /// An alias leads elsewhere, or is new or gone.
    AliasChanged {
        /// The alias.
        alias: String,
        /// Whose it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Whose it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Pages of the new snapshot.
    pub pages: u32,
    /// Pages that had to be read, because their digest is another.
    pub pages_read: u32,
}

/// Tells of every change, features first, then page by page.
///
/// # Errors
/// What cannot be read or is refused, and what `tell` refuses.
pub fn diff(
    from: &mut Snapshot,
    to: &mut Snapshot,
    tell: &mut dyn FnMut(Change),
) -> Result<Compared, Failure> {
    features(&from.body, &to.body, tell);
    let alike = from.body.catalogue().places_as(to.body.catalogue());
    let pages = to.body.pages();
    let mut compared = Compared { pages, pages_read: 0 };
    if !alike {
        (0..from.body.pages()).try_for_each(|page| from.fetch(page))?;
        (0..pages).try_for_each(|page| to.fetch(page))?;
        compared.pages_read = pages;
        return whole(&from.body, &to.body, tell).map(|()| compared).map_err(refused);
    }
    for page in 0..pages {
        if from.name(page)? == to.name(page)? {
            continue;
        }
        from.fetch(page)?;
        to.fetch(page)?;
        compared.pages_read += 1;
        self::page(&from.body, &to.body, (page, page), tell).map_err(refused)?;
        from.leave(page);
        to.leave(page);
    }
    Ok(compared)
}

fn refused(error: edgegrant::Error) -> Failure {
    Failure::refused(&error)
}

fn whole(from: &Body, to: &Body, tell: &mut dyn FnMut(Change)) -> Result<(), edgegrant::Error> {
    (0..to.pages()).try_for_each(|page| came(from, to, page, tell))?;
    (0..from.pages()).try_for_each(|page| went(from, to, page, tell))
}

fn page(
    from: &Body,
    to: &Body,
    (before, after): (u32, u32),
    tell: &mut dyn FnMut(Change),
) -> Result<(), edgegrant::Error> {
    came(from, to, after, tell)?;
    went(from, to, before, tell)
}

/// What a page of the new snapshot has that the old one has not or has otherwise.
fn came(
    from: &Body,
    to: &Body,
    page: u32,
    tell: &mut dyn FnMut(Change),
) -> Result<(), edgegrant::Error> {
    for subject in to.subjects_in(page)? {
        match known(from, subject.id())? {
            Some(before) => entitlements(&before, &subject, tell)?,
            None => tell(Change::SubjectAdded {
                subject: subject.id().to_owned(),
                features: keys(&subject),
            }),
        }
    }
    for (alias, target) in to.aliases_in(page)? {
        let before = from.alias(alias)?;
        if before != Some(target) {
            tell(alias_changed(alias, before, Some(target)));
        }
    }
    Ok(())
}

/// What a page of the old snapshot has that the new one has not.
fn went(
    from: &Body,
    to: &Body,
    page: u32,
    tell: &mut dyn FnMut(Change),
) -> Result<(), edgegrant::Error> {
    for subject in from.subjects_in(page)? {
        if known(to, subject.id())?.is_none() {
            let features = keys(&subject);
            tell(Change::SubjectRemoved { subject: subject.id().to_owned(), features });
        }
    }
    for (alias, target) in from.aliases_in(page)? {
        if to.alias(alias)?.is_none() {
            tell(alias_changed(alias, Some(target), None));
        }
    }
    Ok(())
}

fn alias_changed(alias: &str, from: Option<&str>, to: Option<&str>) -> Change {
    let owned = |id: Option<&str>| id.map(ToOwned::to_owned);
    Change::AliasChanged { alias: alias.to_owned(), from: owned(from), to: owned(to) }
}

/// The subject with an id, and not that of an alias.
fn known<'a>(body: &'a Body, id: &str) -> Result<Option<Subject<'a>>, edgegrant::Error> {
    if body.alias(id)?.is_some() {
        return Ok(None);
    }
    body.subject(id)
}

fn keys(subject: &Subject<'_>) -> Vec<String> {
    let keys: BTreeSet<String> =
        subject.entries().map(|(feature, _)| feature.key.to_owned()).collect();
    keys.into_iter().collect()
}

fn entitlements(
    before: &Subject<'_>,
    after: &Subject<'_>,
    tell: &mut dyn FnMut(Change),
) -> Result<(), edgegrant::Error> {
    let mut gone = by_feature(before)?;
    let subject = || after.id().to_owned();
    for (feature, is) in by_feature(after)? {
        match gone.remove(&feature) {
            None => tell(Change::EntitlementAdded { subject: subject(), feature }),
            Some(was) => {
                let fields = words::entitlement(&was, &is);
                if !fields.is_empty() {
                    tell(Change::EntitlementChanged { subject: subject(), feature, fields });
                }
            }
        }
    }
    for feature in gone.into_keys() {
        tell(Change::EntitlementRemoved { subject: subject(), feature });
    }
    Ok(())
}

fn by_feature(
    subject: &Subject<'_>,
) -> Result<BTreeMap<String, EntitlementRecord>, edgegrant::Error> {
    let record = subject.to_record()?;
    Ok(record.entitlements.into_iter().map(|given| (given.feature.clone(), given)).collect())
}

fn features(from: &Body, to: &Body, tell: &mut dyn FnMut(Change)) {
    let declared = |body: &Body| -> BTreeMap<String, (String, Option<String>)> {
        let row = |feature: Feature<'_>| {
            let says = (feature.when_expired.as_str().to_owned(), feature.unit.map(String::from));
            (feature.key.to_owned(), says)
        };
        body.catalogue().features().map(row).collect()
    };
    let mut gone = declared(from);
    for (feature, (policy, unit)) in declared(to) {
        let Some((policy_before, unit_before)) = gone.remove(&feature) else {
            tell(Change::FeatureAdded { feature });
            continue;
        };
        let mut fields = words::Fields::default();
        fields.compare("unit", unit_before, unit);
        fields.compare("when expired", Some(policy_before), Some(policy));
        if !fields.is_empty() {
            tell(Change::FeatureChanged { feature, fields: fields.into() });
        }
    }
    gone.into_keys().for_each(|feature| tell(Change::FeatureRemoved { feature }));
}
