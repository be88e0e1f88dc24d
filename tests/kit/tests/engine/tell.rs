//! Explanations add up to the decision, and the pages of a history to the whole.

use edgegrant::engine::program::{Metered, Rule};
use edgegrant::engine::{HistoryQuery, PAGE, Question, Segment, UsageEvent, Window, WindowSize};
use edgegrant::engine::{explain, program};
use edgegrant::{Amount, Instant};
use edgegrant_testkit::line::published_at;
use edgegrant_testkit::{property, question};

use super::{always, asked, facts, ledger};

#[test]
fn an_explanation_adds_up_to_its_decision() {
    property::holds("explain", 300, |seed| {
        let facts = facts(seed);
        let whole = ledger(&facts);
        let now = *asked(&facts).last().expect("a query");
        let middle = asked(&facts).into_iter().nth(2).unwrap_or(now);
        let published = published_at(&facts, middle, None).expect("it is published");
        let mut failures = sums(&always(whole.metered), &whole.events, now);
        let entitlement = published.entitlement.expect("an entitlement");
        failures.extend(sums(&entitlement.program, &published.later, now));
        failures
    });
}

fn sums(program: &program::Program, extra: &[UsageEvent], now: Instant) -> Vec<String> {
    let Rule::Metered(metered) = &program.rule else { panic!("a ledger is metered") };
    let explanation = explain(program, &Question { extra, ..Question::at(now) });
    if explanation.truncated {
        return Vec::new();
    }
    let numbers = explanation.decision.numbers.expect("numbers");
    let opened = if metered.opening.period_start == numbers.period.from {
        (metered.opening.usage, metered.opening.grant_usage)
    } else {
        (Amount::ZERO, Amount::ZERO)
    };
    let late: Amount = late(metered, extra).iter().map(|event| event.amount).sum();
    let listed: Amount = explanation.segments.iter().map(|segment| segment.usage).sum();
    let burnt = |segment: &Segment| segment.grant_usages.iter().map(|(_, used)| *used).sum();
    let burnt: Amount = explanation.segments.iter().map(burnt).sum();
    let balance: Amount = explanation.grants.iter().map(|grant| grant.balance).sum();
    let accounts: Amount = explanation.grants.iter().map(|grant| grant.burnt).sum();
    let last = explanation.segments.last().map(|segment| segment.overage);
    let total = numbers.total_available.zip(numbers.balance).map(|(all, left)| all - left);
    let mut failures = Vec::new();
    let mut equal = |what: &str, got: Option<Amount>, expected: Option<Amount>| {
        if got != expected {
            failures.push(format!("{what} at {now}: {got:?}, decided {expected:?}"));
        }
    };
    equal("balances of the grants", Some(balance), numbers.balance);
    equal("accounts of the grants", Some(accounts), Some(burnt));
    if late.is_zero() {
        equal("usage of the segments", Some(listed + opened.0), numbers.usage);
        equal("what segments burnt", Some(burnt + opened.1), total);
    }
    if last.is_some() {
        equal("overage of the last segment", last, numbers.overage);
    }
    failures
}

/// Usage that came in after the state that it belongs before.
fn late<'a>(metered: &Metered, extra: &'a [UsageEvent]) -> &'a [UsageEvent] {
    let at = metered.opening.at;
    extra.get(..extra.partition_point(|event| event.at < at)).expect("a prefix")
}

/// Hourly refills over a hundred days, with usage now and then: several pages of either kind.
fn long() -> question::Ledger {
    let events: Vec<_> = (0..150)
        .map(|n| {
            format!(
                r#"{{"at": "2024-{:02}-{:02}T{:02}:30:00Z", "value": {}}}"#,
                1 + n % 3,
                1 + n % 28,
                n % 24,
                3 + n
            )
        })
        .collect();
    let text = format!(
        r#"{{"entitlement": {{"measureUsageFrom": "2024-01-01T00:00:00Z",
                "preserveOverageAtReset": true,
                "usagePeriod": {{"interval": "P1W", "anchor": "2024-01-01T00:20:00Z"}}}},
            "grants": [{{"id": "g", "amount": 40, "maxRollover": 30,
                "effectiveAt": "2024-01-01T00:00:00Z",
                "recurrence": {{"interval": "PT1H", "anchor": "2024-01-01T00:10:00Z"}}}}],
            "usage": [{}], "resets": []}}"#,
        events.join(",")
    );
    serde_json::from_str(&text).expect("a ledger")
}

fn pages(metered: &Metered, query: &HistoryQuery<'_>) -> (Vec<Window>, Vec<Segment>, usize) {
    let (mut windows, mut segments, mut count) = (Vec::new(), Vec::new(), 0);
    let mut from = query.from;
    loop {
        let page = metered.history(&HistoryQuery { from, ..*query }).expect("a page");
        assert!(page.windows.len() <= PAGE);
        assert!(page.segments.len() <= PAGE + 100, "{} segments", page.segments.len());
        windows.extend(page.windows);
        segments.extend(page.segments);
        count += 1;
        match page.next {
            Some(next) => from = next,
            None => return (windows, segments, count),
        }
    }
}

#[test]
fn pages_of_a_history_are_the_whole() {
    let ledger = ledger(&long());
    let from = Instant::parse("2024-01-01T00:00:00Z").expect("an instant");
    let to = Instant::parse("2024-04-10T00:00:00Z").expect("an instant");
    for (window, length) in [(WindowSize::Hour, 3_600_000), (WindowSize::Day, 86_400_000)] {
        let query = HistoryQuery { from, to, window, extra: &ledger.events };
        let (windows, segments, count) = pages(&ledger.metered, &query);
        assert!(count > 2, "{count} pages");
        let mut start = from;
        for one in &windows {
            assert_eq!(one.from, start);
            start = one.to;
            let alone = HistoryQuery { from: one.from, to: one.to, ..query };
            let alone = ledger.metered.history(&alone).expect("a window").windows;
            assert_eq!(alone, [*one]);
        }
        assert_eq!(start, to);
        assert_eq!(windows.len() as i64, (to.millis() - from.millis()) / length);
        check_segments(&ledger.metered, &query, &segments);
    }
}

/// The segments follow one another, list all usage, and are those of the whole burn-down, but for
/// cuts where a page ends.
fn check_segments(metered: &Metered, query: &HistoryQuery<'_>, segments: &[Segment]) {
    let mut at = query.from;
    for segment in segments {
        assert_eq!(segment.from, at, "a gap before {segment:?}");
        at = segment.to;
    }
    assert_eq!(at, query.to);
    let used: Amount = query.extra.iter().map(|event| event.amount).sum();
    assert_eq!(segments.iter().map(|segment| segment.usage).sum::<Amount>(), used);
    let whole = metered.burn_down(query.extra, query.from, query.to).segments;
    for segment in whole {
        let starts = segments.iter().find(|other| {
            (other.from, other.to == other.from) == (segment.from, segment.to == segment.from)
        });
        let starts = starts.unwrap_or_else(|| panic!("no segment begins as {segment:?}"));
        assert_eq!(starts.balances_at_start, segment.balances_at_start);
    }
}
