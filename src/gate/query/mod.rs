//! Lists: which entitlements fit a filter, and who is entitled to a feature. Beside them what is
//! asked about several features of a subject at once.

mod catalogue;
mod cursor;
mod fit;
mod index;

use super::{Answer, Ask, Clock, Gate, NO_SNAPSHOT, Snapshot};
use crate::amount::Amount;
use crate::engine::program::{Program, Rule};
use crate::error::Error;
use crate::snapshot::{Body, Entry, Feature, Place, Subject};
use crate::time::Instant;
pub use catalogue::CatalogueFeature;
use cursor::Cursor;
pub use fit::{Demand, Fit, Shortfall};
pub(super) use index::Indexes;

/// Which entitlements are asked for: those that fit everything that is stated. A list fits what it
/// has one of, so an empty one fits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Ids or aliases of subjects.
    pub subjects: Option<Vec<String>>,
    /// Keys of features.
    pub features: Option<Vec<String>>,
    /// Ids of grants, such as the one that a source gave an agreement.
    pub grants: Option<Vec<String>>,
    /// Whether the feature may be used.
    pub access: Option<bool>,
    /// Only those with overage.
    pub over: bool,
    /// Only those whose window or one of whose grants ends after the instant that the list is for
    /// and not after this one.
    pub ending_by: Option<Instant>,
}

/// How a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The host's clock, by which the snapshot is fresh or not.
    pub clock: Clock,
    /// The instant to answer for, when it is not now.
    pub at: Option<Instant>,
    /// How many items are wanted at most, 1 to [`Listing::LIMIT_MAX`].
    pub limit: usize,
    /// Where to go on, from [`Listed::next`] of the same question.
    pub after: Option<&'a str>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was found. It may be less than was asked for, even nothing, while there is more.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end. It is for this snapshot alone.
    pub next: Option<String>,
}

/// An entitlement in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEntitlement {
    /// The subject's id, also where it was named by an alias.
    pub subject: String,
    /// The feature's key.
    pub feature: String,
    /// The decision.
    pub answer: Answer,
    /// When the grace ends, if one runs.
    pub grace_until: Option<Instant>,
    /// What ends until the instant that [`Filter::ending_by`] names, in the order of the snapshot.
    pub ends: Vec<Ending>,
}

/// The end of an entitlement's window, or of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Instant,
    /// The grant and its amount; `None` is the window.
    pub grant: Option<(String, Amount)>,
}

impl Listing<'_> {
    /// The longest list that is given at once, and the longest list of names that is taken.
    pub const LIMIT_MAX: usize = 1000;
    /// How many items are given when nobody says.
    pub const LIMIT: usize = 100;
}

/// How many entitlements are looked at in one go, which takes some hundredths of a second.
const LOOKED_AT_MAX: usize = 1 << 16;

type Subjects<'a> = Box<dyn Iterator<Item = Result<Subject<'a>, Error>> + 'a>;

impl Gate {
    /// The entitlements that fit a filter, in the order of the snapshot, each once.
    ///
    /// Subjects that are named are looked up. Otherwise all are gone through, for which the whole
    /// snapshot has to be resident.
    ///
    /// # Errors
    /// `no-snapshot` before the first; `not-whole` in a gate that holds pages, when no subjects are
    /// named; `list-limit` for a limit or a list of names that is too long; `token-malformed`, and
    /// `token-outdated` once there is another snapshot; the codes of [`Body::subject`].
    pub fn find(
        &self,
        filter: &Filter,
        listing: &Listing<'_>,
    ) -> Result<Listed<FoundEntitlement>, Error> {
        let Snapshot { body, .. } = self.present.as_ref().ok_or(NO_SNAPSHOT)?;
        let cursor = Cursor::read(body, listing)?;
        let subjects = match &filter.subjects {
            Some(names) => named(body, names, cursor.place)?,
            None if body.is_whole() => Box::new(body.subjects_from(cursor.place)),
            None => return Err(NOT_WHOLE),
        };
        self.list(body, subjects, cursor, &Sieve::new(filter)?, listing)
    }

    /// The subjects that have an entitlement to a feature, or also access to it. Nobody has one to
    /// a feature that is unknown.
    ///
    /// Who has an entitlement is found by an index that is made when a feature is first asked for
    /// and kept until the next snapshot: two bytes for each of these subjects and four for each
    /// page. The indexes of eight features are kept.
    ///
    /// # Errors
    /// Those of [`Gate::find`].
    pub fn subjects_entitled_to(
        &mut self,
        feature: &str,
        access_only: bool,
        listing: &Listing<'_>,
    ) -> Result<Listed<String>, Error> {
        let Snapshot { body, indexes, .. } = self.present.as_mut().ok_or(NO_SNAPSHOT)?;
        if !body.is_whole() {
            return Err(NOT_WHOLE);
        }
        indexes.make(body, feature)?;
        let Snapshot { body, indexes, .. } = self.present.as_ref().ok_or(NO_SNAPSHOT)?;
        let cursor = Cursor::read(body, listing)?;
        let places = indexes.places(feature, cursor.place);
        let subjects = Box::new(places.filter_map(|place| body.subject_at(place).transpose()));
        let (features, access) = (Some(vec![feature.to_owned()]), access_only.then_some(true));
        let filter = Filter { features, access, ..Filter::default() };
        let listed = self.list(body, subjects, cursor, &Sieve::new(&filter)?, listing)?;
        let items = listed.items.into_iter().map(|found| found.subject).collect();
        Ok(Listed { items, next: listed.next })
    }

    fn list<'a>(
        &'a self,
        body: &'a Body,
        subjects: Subjects<'a>,
        cursor: Cursor,
        sieve: &Sieve<'_>,
        listing: &Listing<'_>,
    ) -> Result<Listed<FoundEntitlement>, Error> {
        let mut items = Vec::new();
        let mut looked_at = 0;
        for subject in subjects {
            let subject = subject?;
            let skipped = if subject.place() == cursor.place { cursor.entry } else { 0 };
            for (index, (feature, entry)) in subject.entries().enumerate().skip(skipped) {
                looked_at += 1;
                let found = self.sift(sieve, &subject, &feature, &entry, listing)?;
                if looked_at > LOOKED_AT_MAX || (found.is_some() && items.len() >= listing.limit) {
                    let here = Cursor { place: subject.place(), entry: index };
                    return Ok(Listed { items, next: Some(here.write(body)) });
                }
                items.extend(found);
            }
        }
        Ok(Listed { items, next: None })
    }

    /// The entitlement as it is listed, if it fits.
    fn sift(
        &self,
        sieve: &Sieve<'_>,
        subject: &Subject<'_>,
        feature: &Feature<'_>,
        entry: &Entry<'_>,
        listing: &Listing<'_>,
    ) -> Result<Option<FoundEntitlement>, Error> {
        let &Listing { clock, at, .. } = listing;
        let (id, key) = (subject.id(), feature.key);
        let ask = Ask { subject: id, feature: key, clock, at, amount: None, used: None };
        let Filter { access, over, ending_by, .. } = sieve.filter;
        if !sieve.takes(feature, entry)?
            || access.is_some_and(|access| access != self.has_access(&ask))
        {
            return Ok(None);
        }
        let now = at.or_else(|| self.now(clock)).unwrap_or(Instant::MAX);
        let ends = match ending_by {
            Some(by) => ends(feature, entry, now, *by)?,
            None => Vec::new(),
        };
        let answer = self.check(&ask);
        let fits = !*over || answer.overage.is_some_and(|overage| overage > Amount::ZERO);
        if !fits || (ending_by.is_some() && ends.is_empty()) {
            return Ok(None);
        }
        let grace_until = entry.outline()?.grace_until.filter(|end| now < *end);
        let (subject, feature) = (id.to_owned(), key.to_owned());
        Ok(Some(FoundEntitlement { subject, feature, answer, grace_until, ends }))
    }
}

/// A filter whose names are quickly looked up.
struct Sieve<'a> {
    filter: &'a Filter,
    features: Option<Vec<&'a str>>,
    grants: Option<Vec<&'a str>>,
}

impl<'a> Sieve<'a> {
    fn new(filter: &'a Filter) -> Result<Self, Error> {
        let (features, grants) = (sorted(&filter.features)?, sorted(&filter.grants)?);
        Ok(Self { filter, features, grants })
    }

    /// Whether feature and grants fit, for which nothing has to be decided.
    fn takes(&self, feature: &Feature<'_>, entry: &Entry<'_>) -> Result<bool, Error> {
        let has = |names: &Vec<&str>, name: &str| names.binary_search(&name).is_ok();
        if self.features.as_ref().is_some_and(|keys| !has(keys, feature.key)) {
            return Ok(false);
        }
        let Some(grants) = &self.grants else { return Ok(true) };
        Ok(entry.grant_ids(feature)?.iter().any(|id| has(grants, id)))
    }
}

fn sorted(names: &Option<Vec<String>>) -> Result<Option<Vec<&str>>, Error> {
    let Some(names) = names else { return Ok(None) };
    if names.len() > Listing::LIMIT_MAX {
        return Err(LIMIT);
    }
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    Ok(Some(names))
}

/// Subjects by their names, each once and in the order of the body.
fn named<'a>(body: &'a Body, names: &[String], first: Place) -> Result<Subjects<'a>, Error> {
    if names.len() > Listing::LIMIT_MAX {
        return Err(LIMIT);
    }
    let mut found = Vec::new();
    for name in names {
        found.extend(body.subject(name)?);
    }
    found.retain(|subject| subject.place() >= first);
    found.sort_unstable_by_key(Subject::place);
    found.dedup_by_key(|subject| subject.place());
    Ok(Box::new(found.into_iter().map(Ok)))
}

/// What of an entitlement ends after one instant and not after another.
fn ends(
    feature: &Feature<'_>,
    entry: &Entry<'_>,
    after: Instant,
    by: Instant,
) -> Result<Vec<Ending>, Error> {
    let Program { active_from, active_to, rule, .. } = entry.program()?;
    let within = |at: &Instant| *at > after && *at <= by;
    let window = active_to.filter(within).filter(|to| active_from.is_none_or(|from| from < *to));
    let mut ends: Vec<Ending> = window.map(|at| Ending { at, grant: None }).into_iter().collect();
    let Rule::Metered(metered) = rule else { return Ok(ends) };
    for (grant, id) in metered.grants.iter().zip(entry.grant_ids(feature)?) {
        let end = grant.end().filter(within).filter(|end| *end > grant.effective_at);
        ends.extend(end.map(|at| Ending { at, grant: Some((id, grant.amount)) }));
    }
    Ok(ends)
}

const NOT_WHOLE: Error = Error::new(
    "not-whole",
    "the gate holds only some of the subjects; name subjects, or ask a gate that is not paged",
);
const LIMIT: Error = Error::new(
    "list-limit",
    "a list has 1 to 1000 items, and at most 1000 names are taken; ask in parts",
);
