//! Which entitlements fit a filter.

use super::{Ending, Filter, FoundEntitlement, Listing, sorted};
use crate::amount::Amount;
use crate::engine::program::{Grant, Program, Rule};
use crate::error::Error;
use crate::gate::{Answer, Ask, Clock, Gate, SliceGate};
use crate::snapshot::{Entry, Feature, Outline, OutlineRule};
use crate::time::Instant;

/// Who decides about what is found.
pub(super) trait Judge {
    fn has_access(&self, ask: &Ask<'_>) -> bool;
    fn check(&self, ask: &Ask<'_>) -> Answer;
    fn now(&self, clock: Clock) -> Option<Instant>;
}

impl Judge for Gate {
    fn has_access(&self, ask: &Ask<'_>) -> bool {
        self.has_access(ask)
    }

    fn check(&self, ask: &Ask<'_>) -> Answer {
        self.check(ask)
    }

    fn now(&self, clock: Clock) -> Option<Instant> {
        self.now(clock)
    }
}

impl Judge for SliceGate {
    fn has_access(&self, ask: &Ask<'_>) -> bool {
        self.has_access(ask)
    }

    fn check(&self, ask: &Ask<'_>) -> Answer {
        self.check(ask)
    }

    fn now(&self, clock: Clock) -> Option<Instant> {
        Some(self.now(clock))
    }
}

/// A filter whose names are quickly looked up.
pub(super) struct Sieve<'a> {
    filter: &'a Filter,
    features: Option<Vec<&'a str>>,
    grants: Option<Vec<&'a str>>,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(filter: &'a Filter) -> Result<Self, Error> {
        let of = |names: &'a Option<Vec<String>>| names.as_deref().map(sorted).transpose();
        let (features, grants) = (of(&filter.features)?, of(&filter.grants)?);
        Ok(Self { filter, features, grants })
    }

    /// Whether it may fit as far as can be told before anything is decided.
    fn takes(&self, feature: &Feature<'_>, entry: &Entry<'_>) -> Result<bool, Error> {
        let has = |names: &Vec<&str>, name: &str| names.binary_search(&name).is_ok();
        if self.features.as_ref().is_some_and(|keys| !has(keys, feature.key)) {
            return Ok(false);
        }
        let Outline { rule, active_to, .. } = entry.outline()?;
        let metered = matches!(rule, OutlineRule::Metered(_));
        let Filter { over, ending_by, .. } = self.filter;
        // Without grants there is no overage, and nothing but the window ends.
        if !metered && (*over || (ending_by.is_some() && active_to.is_none())) {
            return Ok(false);
        }
        let Some(grants) = &self.grants else { return Ok(true) };
        Ok(metered && entry.grant_ids(feature)?.iter().any(|id| has(grants, id)))
    }

    /// The entitlement as it is listed, if it fits.
    pub(super) fn sift(
        &self,
        judge: &dyn Judge,
        subject: &str,
        (feature, entry): &(Feature<'_>, Entry<'_>),
        listing: &Listing<'_>,
    ) -> Result<Option<FoundEntitlement>, Error> {
        let &Listing { clock, at, .. } = listing;
        let ask = Ask { subject, feature: feature.key, clock, at, amount: None, used: None };
        let Filter { access, over, ending_by, .. } = self.filter;
        if !self.takes(feature, entry)?
            || access.is_some_and(|access| access != judge.has_access(&ask))
        {
            return Ok(None);
        }
        let now = at.or_else(|| judge.now(clock)).unwrap_or(Instant::MAX);
        let ends = match ending_by {
            Some(by) => ends(feature, entry, now, *by)?,
            None => Vec::new(),
        };
        if ending_by.is_some() && ends.is_empty() {
            return Ok(None);
        }
        let answer = judge.check(&ask);
        if *over && answer.overage.is_none_or(|overage| overage <= Amount::ZERO) {
            return Ok(None);
        }
        let grace_until = entry.outline()?.grace_until.filter(|end| now < *end);
        let (subject, feature) = (subject.to_owned(), feature.key.to_owned());
        Ok(Some(FoundEntitlement { subject, feature, answer, grace_until, ends }))
    }
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
    let end = |grant: &Grant| grant.end().filter(within).filter(|end| *end > grant.effective_at);
    if metered.grants.iter().all(|grant| end(grant).is_none()) {
        return Ok(ends);
    }
    for (grant, id) in metered.grants.iter().zip(entry.grant_ids(feature)?) {
        ends.extend(end(grant).map(|at| Ending { at, grant: Some((id, grant.amount)) }));
    }
    Ok(ends)
}
