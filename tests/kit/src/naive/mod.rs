//! A second, naive, obviously right engine: it walks every recurrence, every reset and every event,
//! from the first instant, for every question. Nothing of the product is used here.

mod burn;
mod calendar;
mod metered;
mod period;
mod phase;
mod run;

use std::collections::BTreeSet;

use crate::answer::{Access, Active, Answer, EffectivePeriod, Order, Period, Point, Resets};
use crate::question::{self, EntitlementType, Grant, Ledger, Question, Time, Window};
use crate::{Amount, Instant, KitError};

/// Answers any question.
///
/// # Errors
/// When an instant lies before the start of measurement, or time arithmetic leaves the calendar.
pub fn answer(question: &Question) -> Result<Answer, KitError> {
    Ok(match question {
        Question::Value { ledger, at } => Answer::Value(metered::value(ledger, *at)?),
        Question::History { ledger, query } => Answer::History(metered::history(ledger, query)?),
        Question::Run(input) => Answer::Run(run::from_input(input)?),
        Question::EffectivePeriod(window) => Answer::EffectivePeriod(effective_period(window)),
        Question::ActiveAt { window, at } => {
            Answer::Active(Active { active: active_at(window, *at) })
        }
        Question::Order { grants } => Answer::Order(Order { order: burn::order(grants)? }),
        Question::Access(access) => Answer::Access(decide(access)),
        Question::Time(time) => answer_time(time)?,
    })
}

/// Every instant up to `until` at which something happens in the ledger, before usage is looked at:
/// resets, refills, activations and ends of grants, as they cut time into phases.
///
/// # Errors
/// When time arithmetic leaves the calendar.
pub fn boundaries(ledger: &Ledger, until: Instant) -> Result<BTreeSet<Instant>, KitError> {
    metered::boundaries(ledger, until)
}

/// The starts of usage periods after the start of measurement, up to and including `until`.
///
/// # Errors
/// When time arithmetic leaves the calendar.
pub fn resets(ledger: &Ledger, until: Instant) -> Result<Vec<Instant>, KitError> {
    metered::resets(ledger, until)
}

fn effective_period(window: &Window) -> EffectivePeriod {
    let ends = [window.expires_at, window.deleted_at, window.voided_at];
    let to = ends.into_iter().flatten().min().map(|end| end.max(window.effective_at));
    EffectivePeriod { from: window.effective_at, to }
}

fn active_at(window: &Window, at: Instant) -> bool {
    let EffectivePeriod { from, to } = effective_period(window);
    from <= at && to.is_none_or(|to| at < to)
}

fn window(grant: &Grant) -> Window {
    Window {
        effective_at: grant.effective_at,
        expires_at: grant.expires_at,
        deleted_at: grant.deleted_at,
        voided_at: grant.voided_at,
    }
}

fn decide(access: &question::Access) -> Access {
    let active = access.kind.is_some() && access.active.unwrap_or_else(|| is_active(access));
    let covered = match access.kind {
        Some(EntitlementType::Metered) => access.is_soft_limit || access.balance > Amount::ZERO,
        Some(_) => true,
        None => false,
    };
    let reason = match (active, access.feature_exists) {
        (true, _) if covered => None,
        (true, _) => Some("usage_limit_reached"),
        (false, true) => Some("feature_unavailable"),
        (false, false) => Some("feature_not_found"),
    };
    Access {
        active: Some(active),
        has_access: active && covered,
        reason: Some(reason.map(str::to_owned)),
    }
}

fn is_active(access: &question::Access) -> bool {
    let start = access.active_from.or(access.created_at);
    let end = access.active_to.or(access.deleted_at);
    let Some(at) = access.at else { return true };
    let deleted = access.deleted_at.is_some_and(|deleted| at >= deleted);
    let early = start.is_some_and(|start| start > at);
    let ended = access.active_to.is_some_and(|to| at >= to);
    let empty = start.is_some() && start == end;
    !(deleted || early || ended || empty)
}

fn answer_time(time: &Time) -> Result<Answer, KitError> {
    let result = match time {
        Time::Next(near) => calendar::next(&near.interval, near.anchor, near.t, near.boundary)?,
        Time::Prev(near) => calendar::prev(&near.interval, near.anchor, near.t, near.boundary)?,
        Time::Nth { interval, anchor, n } => calendar::nth(interval, *anchor, *n)?,
        Time::Add { interval, anchor } => calendar::nth(interval, *anchor, 1)?,
        Time::Expiration { duration, count, anchor } => {
            calendar::expiration(*anchor, *duration, *count)?
        }
        Time::Period { interval, anchor, t } => {
            let (from, to) = calendar::period(interval, *anchor, *t)?;
            return Ok(Answer::Period(Period { from, to }));
        }
        Time::UsagePeriod { timeline, t, .. } => {
            return Ok(Answer::Period(period::at(timeline, *t)?));
        }
        Time::Resets { timeline, from, to } => {
            let times = period::starts(timeline, *from, *to)?;
            let first = timeline.first().map(|entry| entry.at);
            let with_first: BTreeSet<_> = first.into_iter().chain(times.clone()).collect();
            let times_with_first = with_first.into_iter().collect();
            return Ok(Answer::Resets(Resets { times, times_with_first }));
        }
    };
    Ok(Answer::Point(Point { result }))
}
