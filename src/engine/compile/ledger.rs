//! A metered entitlement's ledger, and what of it is left at a time of publishing.

use super::check::Checked;
use super::{Ledger, Problem};
use crate::amount::Amount;
use crate::engine::program::{Grant, Metered, Opening, Stretch, Timeline, Usage};
use crate::engine::run::{Run, UsageEvent};
use crate::error::Error;
use crate::model::{self, UsageKind};
use crate::time::{Instant, Recurrence, Timestamp, expiration};

const MINUTE_MS: i64 = 60_000;

/// The rule as of `publish_at`, and the ids of its grants.
pub(super) fn compile(
    checked: &Checked<'_>,
    publish_at: Instant,
) -> Result<(Metered, Vec<String>), Problem> {
    let mut ledger = ledger(checked)?;
    // Clocks of sources differ, and the minute that has begun counts anyway.
    let ahead = publish_at.plus_millis(MINUTE_MS);
    if ledger.events.last().is_some_and(|last| last.at > ahead) {
        return Err(Problem::new("usage.events", USAGE_AHEAD));
    }
    let usage_as_of = known_until(checked, publish_at, &ledger);
    if checked.usage_kind == UsageKind::Value {
        ledger.metered.opening.at = usage_as_of.floor_minute();
    } else {
        ledger.open_before(publish_at.min(usage_as_of));
    }
    ledger.metered.usage_as_of = usage_as_of;
    if let Usage::Flow { since_opening } = &mut ledger.metered.usage {
        *since_opening = ledger.events.iter().map(|event| event.amount).sum();
    }
    ledger.drop_ended();
    Ok((ledger.metered, ledger.grant_ids))
}

/// Before which instant all usage is included: as the facts say, or the time of publishing, but
/// nothing happened before measuring began and everything listed did.
fn known_until(checked: &Checked<'_>, publish_at: Instant, ledger: &Ledger) -> Instant {
    let as_of = checked.facts.usage.as_ref().and_then(|usage| usage.as_of);
    let last = ledger.events.last().map(|event| event.at.plus_millis(1));
    let known = as_of.map_or(publish_at, Timestamp::ceil_millis).max(ledger.metered.opening.at);
    last.map_or(known, |last| last.max(known))
}

/// The ledger from where measuring begins, or from the opening that the facts give.
pub(super) fn ledger(checked: &Checked<'_>) -> Result<Ledger, Problem> {
    let facts = checked.facts;
    let start = facts.measure_usage_from.map(Timestamp::floor_minute);
    let (grants, grant_ids) = grants_in_burn_order(&facts.grants, start)?;
    let opening = match &facts.opening {
        Some(opening) => given_opening(opening, &grant_ids),
        None => first_opening(&grants, start.unwrap_or(Instant::EPOCH)),
    };
    let anchor = facts.opening.as_ref().and_then(|opening| opening.anchor);
    let timeline = timeline(facts, anchor, opening.period_start);
    let events = events(facts, opening.at);
    let usage_as_of = opening.at;
    let metered = Metered {
        unlimited: facts.unlimited,
        soft_limit: facts.soft_limit,
        usage: usage(facts.usage.as_ref()),
        timeline,
        grants,
        opening,
        usage_as_of,
    };
    Ok(Ledger { metered, events, grant_ids })
}

impl Ledger {
    /// Begins at the last boundary before `at`, so that the opening stays where it is until there
    /// is another one: a minute after it, when all that happens there has happened.
    ///
    /// A phase's usage is burnt as one sum. Where corrections take usage back, no part of it may be
    /// burnt before the others, so the opening is the boundary itself. One case is left: a grant
    /// that is over before it begins parts phases only for questions after its beginning, so an
    /// opening in between gives those questions, or the earlier ones, another sum.
    pub fn open_before(&mut self, at: Instant) {
        let Some(boundary) = self.metered.boundary_before(at) else { return };
        let boundary = boundary.floor_minute();
        let corrected = self.events.iter().any(|event| event.amount < Amount::ZERO);
        self.open_at(if corrected { boundary } else { boundary.plus_millis(MINUTE_MS) });
    }

    /// Burns what was used before `at` and begins there, unless it begins there or later already.
    pub fn open_at(&mut self, at: Instant) {
        if at <= self.metered.opening.at {
            return;
        }
        let opening = match self.metered.flows() {
            true => {
                let mut run = Run::new(&self.metered, &self.events);
                run.advance(at);
                opening_of(run)
            }
            false => Opening { at, ..self.metered.opening.clone() },
        };
        self.events.retain(|event| event.at >= at);
        self.metered.usage_as_of = at;
        self.metered.timeline.begin_at(opening.period_start);
        self.metered.opening = opening;
    }

    /// Leaves out grants that have nothing left and part no phase any more. One that was voided
    /// still parts them where it would have expired.
    fn drop_ended(&mut self) {
        let at = self.metered.opening.at;
        let ended = |grant: &Grant, balance: Amount| {
            let ends = [grant.expires_at, grant.voided_at, grant.deleted_at];
            let last = ends.into_iter().flatten().max();
            balance.is_zero() && last.is_some_and(|last| last.max(grant.effective_at) < at)
        };
        let metered = &mut self.metered;
        let kept: Vec<bool> = metered
            .grants
            .iter()
            .zip(&metered.opening.balances)
            .map(|(grant, balance)| !ended(grant, *balance))
            .collect();
        retain(&mut metered.grants, &kept);
        retain(&mut metered.opening.balances, &kept);
        retain(&mut self.grant_ids, &kept);
    }
}

fn retain<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next().is_none_or(|kept| *kept));
}

impl Timeline {
    /// Forgets stretches before the one that `start` is in, which then begins there.
    fn begin_at(&mut self, start: Instant) {
        let begun = self.stretches.partition_point(|stretch| stretch.from <= start);
        self.stretches.drain(..begun.saturating_sub(1));
        if let Some(first) = self.stretches.first_mut() {
            first.from = start;
        }
    }
}

impl Metered {
    /// The last instant from the opening on and before `at` at which the burn-down is cut.
    ///
    /// Every end of a grant cuts it, not only the first: a grant that was deleted inside of a
    /// minute burns until then.
    fn boundary_before(&self, at: Instant) -> Option<Instant> {
        let last = at.plus_millis(-1);
        let from = self.opening.at;
        let period = Some(self.timeline.period_at(last).from);
        let of_grants = self.grants.iter().flat_map(|grant| {
            let ends = [grant.expires_at, grant.voided_at, grant.deleted_at];
            ends.into_iter().chain([Some(grant.effective_at), grant.last_refill(from, last)])
        });
        let boundaries = of_grants.chain([period]).flatten();
        boundaries.filter(|boundary| *boundary >= from && *boundary <= last).max()
    }
}

/// The opening where measuring begins: what is active then is full, and nothing is used.
fn first_opening(grants: &[Grant], at: Instant) -> Opening {
    let full = |grant: &Grant| if grant.is_active_at(at) { grant.amount } else { Amount::ZERO };
    Opening {
        at,
        period_start: at,
        balances: grants.iter().map(full).collect(),
        overage: Amount::ZERO,
        usage: Amount::ZERO,
        grant_usage: Amount::ZERO,
    }
}

/// The state that a run has advanced to, which is a left limit.
fn opening_of(run: Run<'_>) -> Opening {
    Opening {
        at: run.at,
        period_start: run.period_start,
        balances: run.balances,
        overage: run.overage,
        usage: run.usage,
        grant_usage: run.grant_usage,
    }
}

fn given_opening(opening: &model::Opening, grant_ids: &[String]) -> Opening {
    let balance = |id: &String| opening.balances.get(id).copied().unwrap_or_default();
    Opening {
        at: opening.at.floor_minute(),
        period_start: opening.period_start.floor_minute(),
        balances: grant_ids.iter().map(balance).collect(),
        overage: opening.overage,
        usage: opening.usage,
        grant_usage: opening.grant_usage,
    }
}

/// The stretches from `start` on: the usage period's own grid, then one for each reset by hand.
fn timeline(facts: &model::Entitlement, anchor: Option<Timestamp>, start: Instant) -> Timeline {
    let interval = facts.usage_period.map(|period| period.interval);
    let original = anchor.or(facts.usage_period.map(|period| period.anchor));
    let mut anchor = original.map(Timestamp::floor_minute);
    let grid = |anchor: Option<Instant>| {
        interval.zip(anchor).map(|(interval, anchor)| Recurrence { interval, anchor })
    };
    let preserve_overage = facts.preserve_overage_at_reset;
    let mut stretches = vec![Stretch { from: start, grid: grid(anchor), preserve_overage }];
    for reset in &facts.resets {
        let from = reset.at.floor_minute();
        if from > start {
            anchor = if reset.retain_anchor { anchor } else { Some(from) };
            let preserve_overage = reset.preserve_overage.unwrap_or(preserve_overage);
            stretches.push(Stretch { from, grid: grid(anchor), preserve_overage });
        }
    }
    Timeline { stretches, preserve_overage }
}

fn usage(usage: Option<&model::Usage>) -> Usage {
    let kind = usage.map_or(UsageKind::Flow, |usage| usage.kind);
    let amount =
        |pick: fn(&model::Usage) -> Option<Amount>| usage.and_then(pick).unwrap_or_default();
    match kind {
        UsageKind::Flow => Usage::Flow { since_opening: Amount::ZERO },
        UsageKind::Level => Usage::Level { in_use: amount(|usage| usage.amount) },
        UsageKind::Unknown => Usage::Unknown,
        UsageKind::Value => Usage::Value {
            balance: amount(|usage| usage.balance),
            usage: amount(|usage| usage.amount),
            overage: amount(|usage| usage.overage),
        },
    }
}

/// Usage from `start` on in order of time, at a resolution of one second.
fn events(facts: &model::Entitlement, start: Instant) -> Vec<UsageEvent> {
    let listed = facts.usage.iter().flat_map(|usage| &usage.events);
    let mut events: Vec<UsageEvent> = listed
        .map(|event| UsageEvent { at: event.at.floor_second(), amount: event.amount })
        .filter(|event| event.at >= start)
        .collect();
    events.sort_by_key(|event| event.at);
    events
}

/// Programs of the grants in the order in which they burn, and their ids, without those that ended
/// before measuring began.
///
/// The order is that of upstream `credit/engine/grant.go`: priority, expiration in whole seconds
/// with none last, creation, id.
fn grants_in_burn_order(
    facts: &[model::Grant],
    start: Option<Instant>,
) -> Result<(Vec<Grant>, Vec<String>), Problem> {
    let mut order: Vec<(BurnKey<'_>, Grant)> = Vec::with_capacity(facts.len());
    for (index, grant) in facts.iter().enumerate() {
        let program = program(grant, index)?;
        if start.is_some_and(|start| program.ended_before(start)) {
            continue;
        }
        order.push((BurnKey::new(grant, index, program.effective_at), program));
    }
    order.sort_by(|(left, _), (right, _)| left.cmp(right));
    let ids = order.iter().map(|(key, _)| key.id.to_owned()).collect();
    Ok((order.into_iter().map(|(_, grant)| grant).collect(), ids))
}

impl Grant {
    fn ended_before(&self, start: Instant) -> bool {
        let expired = self.effective_at < start && self.expires_at.is_some_and(|end| end <= start);
        let before = |end: Option<Instant>| end.is_some_and(|end| end < start);
        expired || before(self.voided_at) || before(self.deleted_at)
    }
}

/// What decides which grant burns first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct BurnKey<'a> {
    priority: u8,
    /// Never expiring sorts last.
    expiry_second: i64,
    created_at: Option<Timestamp>,
    /// Grants without a creation time count as created in the order listed.
    listed: usize,
    id: &'a str,
}

impl<'a> BurnKey<'a> {
    fn new(grant: &'a model::Grant, index: usize, effective_at: Instant) -> Self {
        let expiry = grant.expiration.and_then(|e| expiration(effective_at, e.duration, e.count));
        Self {
            priority: grant.priority,
            expiry_second: expiry.map_or(i64::MAX, |at| at.millis().div_euclid(1000)),
            created_at: grant.created_at,
            listed: if grant.created_at.is_some() { 0 } else { index },
            id: &grant.id,
        }
    }
}

fn program(grant: &model::Grant, index: usize) -> Result<Grant, Problem> {
    let effective_at = grant.effective_at.floor_minute();
    let derived = match grant.expiration {
        Some(model::Expiration { duration, count }) => {
            let path = format!("grants[{index}].expiration");
            let end = expiration(effective_at, duration, count);
            Some(end.ok_or_else(|| Problem::new(path, EXPIRATION_RANGE))?)
        }
        None => None,
    };
    Ok(Grant {
        amount: grant.amount,
        priority: grant.priority,
        effective_at,
        expires_at: grant.expires_at.map(Timestamp::ceil_millis).or(derived),
        voided_at: grant.voided_at.map(Timestamp::floor_minute),
        deleted_at: grant.deleted_at.map(Timestamp::ceil_millis),
        recurrence: grant.recurrence.map(|recurrence| Recurrence {
            interval: recurrence.interval,
            anchor: recurrence.anchor.floor_minute(),
        }),
        min_rollover: grant.min_rollover,
        max_rollover: grant.max_rollover,
    })
}

/// The burn order of grants by their ids, for whoever shows or compares it.
///
/// Times of beginning are taken as they stand, to the second.
#[must_use]
pub fn burn_order(grants: &[model::Grant]) -> Vec<&str> {
    let keys = grants
        .iter()
        .enumerate()
        .map(|(index, grant)| BurnKey::new(grant, index, grant.effective_at.floor_second()));
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    keys.into_iter().map(|key| key.id).collect()
}

const USAGE_AHEAD: Error = Error::new(
    "usage-after-publishing",
    "usage is dated over a minute after publishing; correct its instant, or the clock",
);
const EXPIRATION_RANGE: Error = Error::new(
    "expiration-out-of-range",
    "the grant would expire after the year 9999; leave the expiration out",
);
