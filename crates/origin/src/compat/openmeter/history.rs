//! Usage and balances over time.

use std::collections::BTreeMap;

use edgegrant::engine::program::{Grant, Metered};
use edgegrant::engine::{self, HistoryQuery, PAGE, Segment, Window, WindowSize};
use edgegrant::model::Entitlement;
use edgegrant::time::Timestamp;
use edgegrant::{Amount, Instant};
use serde_json::{Map, Value, json};

use super::entitlements::Whose;
use super::ledger::Ledger;
use super::{Asked, ENTITLEMENT_UNKNOWN, Problem};
use crate::compat::answer::number;
use crate::compat::present::{Present, is_gone};

/// Windows and phases of an entitlement that is active now.
pub(super) fn history(present: &Present, asked: &Asked) -> Result<Value, Problem> {
    let window = window(asked)?;
    let whose = Whose::asked(present, asked)?;
    let feature = whose.feature(asked.id());
    if is_gone(present.check(&whose.subject.subject, feature)?.reason) {
        return Err(ENTITLEMENT_UNKNOWN);
    }
    let given = whose.given(feature).ok_or(ENTITLEMENT_UNKNOWN)?;
    let ledger = Ledger::new(given).ok_or_else(|| Problem::bad(NOT_COUNTED))?;
    let record = whose.entitlement(present, asked.id());
    let last_reset = record.and_then(|listed| listed.record.last_reset);
    let from = instant(asked, "from")?.or(last_reset).or_else(|| last_reset_of(given));
    let from = from.map_or(ledger.begins(), Timestamp::floor_minute);
    let to = instant(asked, "to")?.map_or_else(|| present.now(), Timestamp::ceil_millis);
    if from < ledger.begins() {
        let begins = ledger.begins();
        return Err(Problem::bad(format!(
            "from must not be before {begins}, where the facts begin; ask the server itself"
        )));
    }
    // What measuring begins in is left out; what only the facts begin in is told from there.
    let is_cut = given.opening.is_some();
    told(&ledger, is_cut, (from, to), window)
}

fn window(asked: &Asked) -> Result<WindowSize, Problem> {
    if !matches!(asked.query.one("windowTimeZone"), None | Some("UTC" | "Etc/UTC")) {
        return Err(Problem::bad(TIME_ZONE));
    }
    match asked.query.one("windowSize") {
        Some("HOUR") => Ok(WindowSize::Hour),
        Some("DAY") => Ok(WindowSize::Day),
        _ => Err(Problem::bad("windowSize must be HOUR or DAY")),
    }
}

fn instant(asked: &Asked, name: &str) -> Result<Option<Timestamp>, Problem> {
    let instant = asked.query.one(name).map(Timestamp::parse).transpose();
    instant.map_err(|_| Problem::bad(format!("{name} must be an instant of RFC 3339")))
}

/// Where a history begins when nobody says: at the last reset by hand, or where measuring does.
fn last_reset_of(given: &Entitlement) -> Option<Timestamp> {
    given.resets.last().map(|reset| reset.at).or(given.measure_usage_from)
}

fn told(
    ledger: &Ledger,
    is_cut: bool,
    (from, to): (Instant, Instant),
    window: WindowSize,
) -> Result<Value, Problem> {
    let events = &ledger.0.events;
    // The window that `from` is in is told from its beginning, or from where the facts begin in it,
    // unless measuring begins there.
    let millis = millis(window);
    let whole = from.plus_millis(-from.millis().rem_euclid(millis));
    let begins = ledger.begins();
    let is_cut = is_cut && whole < begins;
    let start = if is_cut { begins } else { whole };
    let start = if start < begins { from } else { start };
    if to.millis() - start.millis() > millis * (PAGES_MAX * PAGE) as i64 {
        return Err(Problem::bad(TOO_LONG));
    }
    let query = HistoryQuery { from: start, to, window, extra: events };
    let (mut windows, segments) = pages(&ledger.0.metered, query)?;
    if is_cut {
        windows.insert(0, begun(ledger, start, whole.plus_millis(millis)));
    }
    // Its usage is only what was asked for.
    if let Some(first) = windows.first_mut().filter(|first| is_cut || first.from < from) {
        let asked = events.iter().filter(|event| event.at >= from && event.at < first.to.min(to));
        first.usage = asked.map(|event| event.amount).sum();
    }
    let windows: Vec<Value> = windows.iter().map(windowed).collect();
    let segments: Vec<Value> = segments.iter().map(|segment| burnt_down(ledger, segment)).collect();
    Ok(json!({ "windowedHistory": windows, "burndownHistory": segments }))
}

/// A window whose beginning the facts do not hold.
fn begun(ledger: &Ledger, from: Instant, to: Instant) -> Window {
    let balance = ledger.decide(from).decision.numbers.and_then(|numbers| numbers.balance);
    Window { from, to, usage: Amount::ZERO, balance_at_start: balance.unwrap_or_default() }
}

/// The pages of a history as one, as the server tells it.
fn pages(
    metered: &Metered,
    mut query: HistoryQuery<'_>,
) -> Result<(Vec<Window>, Vec<Segment>), Problem> {
    let (mut windows, mut segments) = (Vec::new(), Vec::<Segment>::new());
    for _ in 0..PAGES_MAX {
        let page = metered.history(&query).map_err(|error| Problem::bad(error.message()))?;
        windows.extend(page.windows);
        let mut more = page.segments.into_iter();
        if let Some(last) = segments.last_mut().filter(|last| !parts(metered, last.to))
            && let Some(rest) = more.next()
        {
            join(last, rest);
        }
        segments.extend(more);
        match page.next {
            Some(next) => query.from = next,
            None => return Ok((windows, segments)),
        }
    }
    Err(Problem::bad(TOO_LONG))
}

/// Whether something happens at an instant that parts phases, and not only the end of a page.
fn parts(metered: &Metered, at: Instant) -> bool {
    let ends = |grant: &Grant| {
        let ends = [grant.expires_at, grant.voided_at, grant.deleted_at];
        ends.into_iter().flatten().any(|end| end.floor_minute() == at)
    };
    metered.boundary_after(at.plus_millis(-1)) == Some(at) || metered.grants.iter().any(ends)
}

/// Adds the rest of a phase that the end of a page has cut.
fn join(phase: &mut Segment, rest: Segment) {
    let mut burnt: BTreeMap<usize, Amount> = phase.grant_usages.iter().copied().collect();
    for (grant, amount) in rest.grant_usages {
        *burnt.entry(grant).or_default() += amount;
    }
    phase.grant_usages = burnt.into_iter().collect();
    phase.usage += rest.usage;
    phase.overage = rest.overage;
    phase.to = rest.to;
}

const fn millis(window: WindowSize) -> i64 {
    match window {
        WindowSize::Hour => 3_600_000,
        WindowSize::Day => 86_400_000,
    }
}

fn windowed(window: &Window) -> Value {
    json!({
        "period": period(window.from, window.to),
        "usage": number(window.usage),
        "balanceAtStart": number(window.balance_at_start),
    })
}

fn burnt_down(ledger: &Ledger, segment: &Segment) -> Value {
    let starts = &segment.balances_at_start;
    let mut ends = starts.clone();
    for (index, burnt) in &segment.grant_usages {
        if let Some(end) = ends.get_mut(*index) {
            *end -= *burnt;
        }
    }
    let id = |index: usize| ledger.0.grant_ids.get(index).cloned().unwrap_or_default();
    let usages = segment.grant_usages.iter();
    let usages: Vec<Value> = usages
        .map(|(index, usage)| json!({ "grantId": id(*index), "usage": number(*usage) }))
        .collect();
    json!({
        "period": period(segment.from, segment.to),
        "usage": number(segment.usage),
        "overage": number(segment.overage),
        "balanceAtStart": sum(starts),
        "grantBalancesAtStart": named(ledger, segment, starts),
        "balanceAtEnd": sum(&ends),
        "grantBalancesAtEnd": named(ledger, segment, &ends),
        "grantUsages": usages,
    })
}

fn sum(balances: &[Amount]) -> Value {
    number(balances.iter().copied().sum())
}

/// The balances of the grants that take part in a segment, by id.
fn named(ledger: &Ledger, segment: &Segment, balances: &[Amount]) -> Value {
    let engine::Ledger { metered, grant_ids, .. } = &ledger.0;
    let all = metered.grants.iter().zip(balances).zip(grant_ids);
    let taking_part = all.filter(|((grant, balance), _)| {
        let ended = grant.end().is_some_and(|end| end < segment.from);
        !balance.is_zero() || (grant.effective_at <= segment.to && !ended)
    });
    let named = taking_part.map(|((_, balance), id)| (id.clone(), number(*balance)));
    Value::Object(named.collect::<Map<String, Value>>())
}

fn period(from: Instant, to: Instant) -> Value {
    json!({ "from": from.to_string(), "to": to.to_string() })
}

const PAGES_MAX: usize = 10;
const NOT_COUNTED: &str = "only metered entitlements whose usage is known over time have a history";
const TIME_ZONE: &str =
    "windows are those of UTC here; ask the server itself for another time zone";
const TOO_LONG: &str = "that is more than ten thousand windows or phases; ask for less at a time";
