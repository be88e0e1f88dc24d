//! Lists: which entitlements fit a filter, and who is entitled to a feature. Beside them what is
//! asked about several features of a subject at once.

mod catalogue;
mod cursor;
mod fit;
mod grants;
mod index;
mod sieve;

use super::freshness::Rung;
use super::{Answer, Clock, Gate, NO_SNAPSHOT, SliceGate, Snapshot};
use crate::amount::Amount;
use crate::error::Error;
use crate::snapshot::{Body, Holders, Place, Subject};
use crate::time::Instant;
pub use catalogue::CatalogueFeature;
use cursor::Cursor;
pub use fit::{Demand, Fit, Shortfall};
pub use grants::FoundGrant;
pub(super) use index::Indexes;
use sieve::Sieve;

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

const DEAD: Error =
    Error::new("dead-snapshot", "the snapshot is too old to tell what is over; refresh it");

/// How many entitlements are looked at in one go, which takes some hundredths of a second.
const LOOKED_AT_MAX: usize = 1 << 14;

/// Which subjects to go through.
enum Way<'a> {
    All,
    /// Those in these places.
    Named(Vec<Place>),
    Indexed(&'a Holders),
}

impl Gate {
    /// The entitlements that fit a filter, in the order of the snapshot, each once.
    ///
    /// Subjects that are named are looked up. Otherwise all are gone through, for which the whole
    /// snapshot has to be resident; or those alone that an index names, see [`Gate::index`].
    ///
    /// # Errors
    /// `no-snapshot` before the first; `not-whole` in a gate that holds pages, when no subjects are
    /// named; `list-limit` for a limit or a list of names that is too long; `token-malformed`, and
    /// `token-outdated` once there is another snapshot; `dead-snapshot` where only what is over is
    /// asked for; the codes of [`Body::subject`].
    pub fn find(
        &self,
        filter: &Filter,
        listing: &Listing<'_>,
    ) -> Result<Listed<FoundEntitlement>, Error> {
        let present = self.present.as_ref().ok_or(NO_SNAPSHOT)?;
        // An empty list would say that nobody is over.
        if filter.over && self.standing(present, listing.clock).rung == Rung::Dead {
            return Err(DEAD);
        }
        let Snapshot { body, indexes, .. } = present;
        let Cursor { mut place, mut entry } = Cursor::read(body, listing)?;
        let sieve = Sieve::new(filter)?;
        let way = way(body, indexes, filter)?;
        let (mut items, mut looked_at) = (Vec::new(), 0);
        while let Some(subject) = way.subject_from(body, place)? {
            if subject.place() != place {
                entry = 0;
            }
            place = subject.place();
            while entry < subject.places() {
                looked_at += 1;
                let found = match subject.entry_with_feature(entry) {
                    Some(found) => sieve.sift(self, subject.id(), &found, listing)?,
                    None => None,
                };
                if looked_at > LOOKED_AT_MAX || (found.is_some() && items.len() >= listing.limit) {
                    return Ok(Listed { items, next: Some(Cursor { place, entry }.write(body)) });
                }
                items.extend(found);
                entry += 1;
            }
            (place, entry) = (place.next(), 0);
        }
        Ok(Listed { items, next: None })
    }

    /// Makes the index of a feature unless there is one: who has an entitlement to it. It is kept
    /// until the next snapshot, and takes two bytes for each of these subjects and four for each
    /// page; eight indexes are kept. Lists of this feature alone then go by it.
    ///
    /// # Errors
    /// `no-snapshot` before the first; `not-whole` in a gate that holds pages; and what is wrong
    /// with a page.
    pub fn index(&mut self, feature: &str) -> Result<(), Error> {
        let Snapshot { body, indexes, .. } = self.present.as_mut().ok_or(NO_SNAPSHOT)?;
        if body.is_whole() { indexes.make(body, feature) } else { Err(NOT_WHOLE) }
    }

    /// The subjects that have an entitlement to a feature, or also access to it, by an index.
    /// Nobody has one to a feature that is unknown.
    ///
    /// # Errors
    /// Those of [`Gate::index`] and [`Gate::find`].
    pub fn subjects_entitled_to(
        &mut self,
        feature: &str,
        access_only: bool,
        listing: &Listing<'_>,
    ) -> Result<Listed<String>, Error> {
        self.index(feature)?;
        let (features, access) = (Some(vec![feature.to_owned()]), access_only.then_some(true));
        let listed = self.find(&Filter { features, access, ..Filter::default() }, listing)?;
        let items = listed.items.into_iter().map(|found| found.subject).collect();
        Ok(Listed { items, next: listed.next })
    }
}

impl SliceGate {
    /// The subject's entitlements that fit a filter, all at once, as [`Gate::find`] lists them. A
    /// slice knows its subject by the id alone; neither limit nor token counts.
    ///
    /// # Errors
    /// `list-limit` for a list of names that is too long; `dead-snapshot` where only what is over
    /// is asked for.
    pub fn find(
        &self,
        filter: &Filter,
        listing: &Listing<'_>,
    ) -> Result<Vec<FoundEntitlement>, Error> {
        if filter.over && self.is_dead(listing.clock) {
            return Err(DEAD);
        }
        let sieve = Sieve::new(filter)?;
        let mut items = Vec::new();
        if filter.subjects.as_ref().is_none_or(|names| names.iter().any(|id| id == self.subject()))
        {
            for found in self.entries() {
                items.extend(sieve.sift(self, self.subject(), &found, listing)?);
            }
        }
        Ok(items)
    }
}

impl Way<'_> {
    /// The first subject at a place or behind it.
    fn subject_from<'a>(&self, body: &'a Body, place: Place) -> Result<Option<Subject<'a>>, Error> {
        let next = match self {
            Self::All => return body.subject_from(place),
            Self::Named(places) => {
                places.get(places.partition_point(|named| *named < place)).copied()
            }
            Self::Indexed(holders) => holders.first_from(place),
        };
        next.map_or(Ok(None), |place| body.subject_at(place))
    }
}

fn way<'a>(body: &Body, indexes: &'a Indexes, filter: &Filter) -> Result<Way<'a>, Error> {
    if let Some(names) = &filter.subjects {
        let mut places = Vec::new();
        for name in sorted(names)? {
            if let Some(subject) = body.subject(name)? {
                put(&mut places, subject.place());
            }
        }
        return Ok(Way::Named(places));
    }
    if !body.is_whole() {
        return Err(NOT_WHOLE);
    }
    let features = filter.features.as_deref();
    let is_unknown = |key: &String| body.catalogue().feature(key).is_none();
    if features.is_some_and(|keys| keys.iter().all(is_unknown)) {
        return Ok(Way::Named(Vec::new()));
    }
    let index = match features {
        Some([feature]) => indexes.of(feature),
        _ => None,
    };
    Ok(index.map_or(Way::All, Way::Indexed))
}

fn sorted(names: &[String]) -> Result<Vec<&str>, Error> {
    if names.len() > Listing::LIMIT_MAX {
        return Err(LIMIT);
    }
    let mut found = Vec::new();
    names.iter().for_each(|name| put(&mut found, name.as_str()));
    Ok(found)
}

/// Puts something in its place among others, once. To sort would be quicker for long lists, and
/// takes ten kilobytes of code.
fn put<T: Ord>(sorted: &mut Vec<T>, one: T) {
    if let Err(place) = sorted.binary_search(&one) {
        sorted.insert(place, one);
    }
}

const NOT_WHOLE: Error = Error::new(
    "not-whole",
    "the gate holds only some of the subjects; name subjects, or ask a gate that is not paged",
);
const LIMIT: Error = Error::new(
    "list-limit",
    "a list has 1 to 1000 items, and at most 1000 names are taken; ask in parts",
);
