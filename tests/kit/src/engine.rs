//! The engine as somebody who is tested.

mod facts;

use std::collections::BTreeMap;

use edgegrant::engine::program::{
    Grant, Metered, Opening, Program, Rule, Stretch, Timeline, Usage,
};
use edgegrant::engine::{self, HistoryQuery, Reason};
use edgegrant::time;
use edgegrant::{Instant, Recurrence};

use crate::answer::{self, Answer};
use crate::question::{Access, Boundary, Duration, Near, Question, Run, Time};
use crate::question::{Ledger, TimelineEntry, Window, WindowSize};
use crate::{Amount, KitError};
pub(crate) use facts::{access_program, kit_amount, kit_instant};
use facts::{amount, recurrence, timestamp};
pub use facts::{entitlement, instant};

/// How the engine gets to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// From the whole ledger.
    Ledger,
    /// From an opening at an instant.
    Opening(Instant),
    /// From the opening that a snapshot published at an instant would hold.
    Published(Instant),
}

/// Answers with the engine from the whole ledger.
///
/// # Errors
/// When the engine refuses the question.
pub fn answer(question: &Question) -> Result<Answer, KitError> {
    Ok(match question {
        Question::Value { ledger, at } => {
            Answer::Value(value(compiled(ledger)?, kit_to_engine(*at), Path::Ledger)?)
        }
        Question::History { ledger, query } => Answer::History(history(ledger, query)?),
        Question::Run(run) => Answer::Run(engine_run(run)?),
        Question::EffectivePeriod(window) => {
            let grant = windowed(window)?;
            let to = grant.end().map(kit_instant);
            let from = kit_instant(grant.effective_at);
            Answer::EffectivePeriod(answer::EffectivePeriod { from, to })
        }
        Question::ActiveAt { window, at } => {
            let active = windowed(window)?.is_active_at(kit_to_engine(*at));
            Answer::Active(answer::Active { active })
        }
        Question::Order { grants } => {
            let facts: Vec<_> = grants.iter().map(facts::order_grant).collect();
            let order = engine::burn_order(&facts).into_iter().map(str::to_owned).collect();
            Answer::Order(answer::Order { order })
        }
        Question::Access(access) => Answer::Access(self::access(access)?),
        Question::Time(time) => self::time(time)?,
    })
}

fn kit_to_engine(at: crate::Instant) -> Instant {
    timestamp(at).ceil_millis()
}

/// The ledger as the engine holds it.
///
/// # Errors
/// When the engine refuses the facts.
pub fn compiled(ledger: &Ledger) -> Result<engine::Ledger, KitError> {
    engine::ledger(&entitlement(ledger))
        .map_err(|problem| KitError(format!("{}: {}", problem.path, problem.error.code())))
}

/// The value at `at`, by the given path.
///
/// # Errors
/// When the engine knows nothing at that instant.
pub fn value(
    mut compiled: engine::Ledger,
    at: Instant,
    path: Path,
) -> Result<answer::Value, KitError> {
    let start = compiled.metered.opening.at;
    match path {
        Path::Ledger => {}
        Path::Opening(opening) => compiled.open_at(opening),
        Path::Published(publish_at) => compiled.open_before(publish_at),
    }
    let metered = compiled.metered;
    let minute = at.ceil_minute();
    let question = engine::Question { extra: &compiled.events, ..engine::Question::at(at) };
    let rule = Rule::Metered(metered.clone());
    let program =
        Program { suspended: false, active_from: None, active_to: None, grace_until: None, rule };
    let decision = engine::decide(&program, &question);
    if decision.reason == Reason::BeforeOpening {
        return Err(KitError("before-opening".to_owned()));
    }
    let numbers = decision.numbers.ok_or(KitError("no numbers".to_owned()))?;
    let from = if path == Path::Ledger { start } else { minute };
    let burn_down = metered.burn_down(&compiled.events, from, minute);
    let ids = &compiled.grant_ids;
    let active = metered.grants.iter().zip(&burn_down.balances).zip(ids);
    let active = active.filter(|((grant, _), _)| grant.is_active_at(minute));
    let number = |number: Option<edgegrant::Amount>| number.map(kit_amount).unwrap_or_default();
    let segments = (path == Path::Ledger).then(|| segments(&burn_down.segments, ids));
    Ok(answer::Value {
        balance: number(numbers.balance),
        usage: number(numbers.usage),
        overage: kit_amount(burn_down.overage),
        total_available_grant_amount: number(numbers.total_available),
        has_access: decision.has_access,
        grant_balances: active.map(|((_, left), id)| (id.clone(), kit_amount(*left))).collect(),
        current_usage_period: answer::Period {
            from: kit_instant(numbers.period.from),
            to: kit_instant(numbers.period.to.unwrap_or(Instant::MAX)),
        },
        segments,
    })
}

fn segments(segments: &[engine::Segment], ids: &[String]) -> Vec<answer::Segment> {
    let named = |index: usize| ids.get(index).cloned().unwrap_or_default();
    let one = |segment: &engine::Segment| answer::Segment {
        from: kit_instant(segment.from),
        to: kit_instant(segment.to),
        balance_at_start: (0..)
            .map(named)
            .zip(segment.balances_at_start.iter().copied().map(kit_amount))
            .collect(),
        grant_usages: segment
            .grant_usages
            .iter()
            .map(|(index, usage)| answer::GrantUsage {
                grant_id: named(*index),
                usage: kit_amount(*usage),
            })
            .collect(),
        total_usage: kit_amount(segment.usage),
        overage: kit_amount(segment.overage),
    };
    segments.iter().map(one).collect()
}

fn history(
    ledger: &Ledger,
    query: &crate::question::HistoryQuery,
) -> Result<answer::History, KitError> {
    let compiled = compiled(ledger)?;
    let window = window_size(query.window_size);
    let (from, to) = (kit_to_engine(query.from), kit_to_engine(query.to));
    let query = HistoryQuery { from, to, window, extra: &compiled.events };
    let history =
        compiled.metered.history(&query).map_err(|error| KitError(error.code().to_owned()))?;
    Ok(told_history(&history, &compiled.grant_ids))
}

pub(crate) fn window_size(size: WindowSize) -> engine::WindowSize {
    match size {
        WindowSize::Hour => engine::WindowSize::Hour,
        WindowSize::Day => engine::WindowSize::Day,
    }
}

/// A history in the words of the cases.
pub(crate) fn told_history(history: &engine::History, ids: &[String]) -> answer::History {
    let window = |window: &engine::Window| answer::HistoryWindow {
        from: kit_instant(window.from),
        to: kit_instant(window.to),
        usage: kit_amount(window.usage),
        balance_at_start: kit_amount(window.balance_at_start),
    };
    answer::History {
        windows: history.windows.iter().map(window).collect(),
        segments: segments(&history.segments, ids),
    }
}

fn engine_run(run: &Run) -> Result<answer::Run, KitError> {
    let facts: Vec<_> = run.grants.iter().map(facts::grant).collect();
    let ids: Vec<String> = engine::burn_order(&facts).into_iter().map(str::to_owned).collect();
    let grants = ids.iter().filter_map(|id| run.grants.iter().find(|grant| grant.id == *id));
    let grants: Vec<Grant> = grants.map(facts::as_it_stands).collect();
    let start = &run.starting_snapshot;
    let at = kit_to_engine(start.at);
    let preserve_overage = run.preserve_overage_at_reset;
    let stretch = |from: Instant| Stretch { from, grid: None, preserve_overage };
    let mut stretches = vec![stretch(at)];
    stretches.extend(run.resets.iter().map(|reset| stretch(kit_to_engine(*reset))));
    let balance = |id: &String| start.balances.get(id).copied().unwrap_or_default();
    let metered = Metered {
        unlimited: false,
        soft_limit: false,
        usage: Usage::Flow { since_opening: edgegrant::Amount::ZERO },
        timeline: Timeline { stretches, preserve_overage },
        grants,
        opening: Opening {
            at,
            period_start: at,
            balances: ids.iter().map(|id| amount(balance(id))).collect(),
            overage: amount(start.overage),
            usage: amount(start.usage),
            grant_usage: amount(start.total_grant_usage),
        },
        usage_as_of: at,
    };
    let events = facts::events(&run.events());
    let until = kit_to_engine(run.until);
    let burn_down = metered.burn_down(&events, at, until);
    let balances = burn_down.balances.iter().copied().map(kit_amount);
    let grant_balances: BTreeMap<String, Amount> = ids.iter().cloned().zip(balances).collect();
    Ok(answer::Run {
        at: run.until,
        balance: grant_balances.values().copied().sum(),
        overage: kit_amount(burn_down.overage),
        usage: kit_amount(burn_down.usage),
        total_grant_usage: kit_amount(burn_down.grant_usage),
        grant_balances,
        segments: Some(segments(&burn_down.segments, &ids)),
    })
}

fn windowed(window: &Window) -> Result<Grant, KitError> {
    let instant = |at: Option<crate::Instant>| at.map(kit_to_engine);
    Ok(Grant {
        amount: edgegrant::Amount::ZERO,
        priority: 0,
        effective_at: kit_to_engine(window.effective_at),
        expires_at: instant(window.expires_at),
        voided_at: instant(window.voided_at),
        deleted_at: instant(window.deleted_at),
        recurrence: None,
        min_rollover: edgegrant::Amount::ZERO,
        max_rollover: edgegrant::Amount::ZERO,
    })
}

/// The reasons are those of OpenMeter's newest API.
fn access(access: &Access) -> Result<answer::Access, KitError> {
    let refused = |active, reason: &str| answer::Access {
        active: Some(active),
        has_access: false,
        reason: Some(Some(reason.to_owned())),
    };
    if !access.feature_exists {
        return Ok(refused(false, "feature_not_found"));
    }
    if access.kind.is_none() {
        return Ok(refused(false, "feature_unavailable"));
    }
    let program = access_program(access)?;
    let now = access.at.map_or(Instant::EPOCH, kit_to_engine);
    let active = access.active.unwrap_or(program.terms().closed_at(now).is_none());
    if !active {
        return Ok(refused(false, "feature_unavailable"));
    }
    let decision = engine::decide(&program, &engine::Question::at(now));
    let reason = (!decision.has_access).then(|| "usage_limit_reached".to_owned());
    Ok(answer::Access { active: Some(true), has_access: decision.has_access, reason: Some(reason) })
}

fn time(time: &Time) -> Result<Answer, KitError> {
    let out_of_range = || KitError("out of range".to_owned());
    let point = |at: Option<Instant>| {
        let result = kit_instant(at.ok_or_else(out_of_range)?);
        Ok(Answer::Point(answer::Point { result }))
    };
    match time {
        Time::Next(near) => point(next(near)),
        Time::Prev(near) => point(previous(near)),
        Time::Nth { interval, anchor, n } => point(recurrence(interval, *anchor)?.nth(*n)),
        // The engine has no interval of no length, and adding one is nothing to get wrong.
        Time::Add { interval, anchor } if interval.is_empty() => {
            point(Some(kit_to_engine(*anchor)))
        }
        Time::Add { interval, anchor } => point(recurrence(interval, *anchor)?.nth(1)),
        Time::Period { interval, anchor, t } => {
            let entry = TimelineEntry { at: *anchor, interval: interval.clone(), anchor: *anchor };
            let mut timeline = timeline(&[entry])?;
            timeline.stretches.iter_mut().for_each(|stretch| stretch.from = Instant::MIN);
            Ok(Answer::Period(period(&timeline, *t)))
        }
        Time::UsagePeriod { timeline: entries, t, .. } => {
            Ok(Answer::Period(period(&timeline(entries)?, *t)))
        }
        Time::Resets { timeline: entries, from, to } => {
            Ok(Answer::Resets(resets(&timeline(entries)?, *from, *to)))
        }
        Time::Expiration { duration, count, anchor } => {
            let unit = match duration {
                Duration::Hour => time::ExpirationUnit::Hour,
                Duration::Day => time::ExpirationUnit::Day,
                Duration::Week => time::ExpirationUnit::Week,
                Duration::Month => time::ExpirationUnit::Month,
                Duration::Year => time::ExpirationUnit::Year,
            };
            point(time::expiration(kit_to_engine(*anchor), unit, *count))
        }
    }
}

fn next(near: &Near) -> Option<Instant> {
    let (points, at) = (recurrence(&near.interval, near.anchor).ok()?, kit_to_engine(near.t));
    match near.boundary {
        Boundary::Inclusive => points.at_or_after(at),
        Boundary::Exclusive => points.after(at),
    }
}

fn previous(near: &Near) -> Option<Instant> {
    let (points, at) = (recurrence(&near.interval, near.anchor).ok()?, kit_to_engine(near.t));
    match near.boundary {
        Boundary::Inclusive => points.at_or_before(at),
        Boundary::Exclusive => points.before(at),
    }
}

fn timeline(entries: &[TimelineEntry]) -> Result<Timeline, KitError> {
    let stretch = |entry: &TimelineEntry| {
        let grid: Option<Recurrence> = Some(recurrence(&entry.interval, entry.anchor)?);
        Ok(Stretch { from: kit_to_engine(entry.at), grid, preserve_overage: false })
    };
    let stretches = entries.iter().map(stretch).collect::<Result<_, KitError>>()?;
    Ok(Timeline { stretches, preserve_overage: false })
}

fn period(timeline: &Timeline, at: crate::Instant) -> answer::Period {
    let period = timeline.period_at(kit_to_engine(at));
    let to = period.to.unwrap_or(Instant::MAX);
    answer::Period { from: kit_instant(period.from), to: kit_instant(to) }
}

/// The starts of usage periods between two instants, both included, with and without the first.
fn resets(timeline: &Timeline, from: crate::Instant, to: crate::Instant) -> answer::Resets {
    let (from, to) = (kit_to_engine(from), kit_to_engine(to));
    let first = timeline.stretches.first().map_or(from, |stretch| stretch.from);
    let mut times = Vec::new();
    if first >= from && first <= to {
        times.push(first);
    }
    let mut at = from.plus_millis(-1).max(first);
    while let Some(reset) = timeline.reset_after(at).filter(|reset| reset.at <= to) {
        times.push(reset.at);
        at = reset.at;
    }
    let mut with_first = times.clone();
    if with_first.first() != Some(&first) {
        with_first.insert(0, first);
    }
    let named = |times: Vec<Instant>| times.into_iter().map(kit_instant).collect();
    answer::Resets { times: named(times), times_with_first: named(with_first) }
}
