//! What an answer costs: `cargo bench --bench engine`. With `-- --case NAME TIMES` it runs one case
//! so often and says nothing, for those who count instructions.
//!
//! Each figure is the fastest of many runs in one process; ratios between them are what counts.
#![allow(
    clippy::expect_used,
    clippy::unreachable,
    missing_docs,
    reason = "a measurement stops at a broken assumption"
)]

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant as Stopwatch};

use edgegrant::engine::program::{
    Grant, Metered, Opening, Program, Rule, Stretch, Timeline, Usage,
};
use edgegrant::engine::{Question, UsageEvent, decide, decide_with};
use edgegrant::{Amount, Instant, Interval, Recurrence};

const START: &str = "2014-01-01T00:00:00Z";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, name, times, ..] = arguments.as_slice()
        && flag == "--case"
    {
        let case = case(name);
        let times: u64 = times.parse().expect("a number");
        for _ in 0..times {
            black_box(case());
        }
        return;
    }
    ten_years("nothing owed", 500, 1_000);
    ten_years("overage outstanding for months", 500, 1_000_000);
    ten_years("overage outstanding to the end", 500, 100_000_000);
    budgets();
}

/// A question to ask again and again.
type Case = Box<dyn Fn() -> bool>;

fn case(name: &str) -> Case {
    match name {
        "map" => nested_map(),
        "nothing-crossed" => nothing_crossed(),
        "nothing-crossed-computed" => nothing_crossed_computed(),
        "boundaries-crossed" => boundaries_crossed(),
        _ => unreachable!("there is no such case"),
    }
}

/// The figures with a budget, beside a plain lookup in the same run.
fn budgets() {
    let map = measure(nested_map());
    println!("a value in nested maps of 10,000 subjects, by strings: {map:?}");
    let cases = [
        ("three grants, nothing crossed", "nothing-crossed", Duration::from_nanos(50)),
        ("three grants, 100 boundaries crossed with usage", "boundaries-crossed", MOST_CROSSED),
    ];
    for (title, name, most) in cases {
        let cost = measure(case(name));
        let ratio = cost.as_nanos() as f64 / map.as_nanos() as f64;
        let met = if cost <= most { "met" } else { "missed" };
        println!("{title}: {cost:?}, {ratio:.2} times the lookup; at most {most:?}: {met}");
    }
    let computed = measure(case("nothing-crossed-computed"));
    println!("the same with nothing crossed, computed from the opening: {computed:?}");
}

const MOST_CROSSED: Duration = Duration::from_micros(10);

/// What a plain lookup takes, by strings and at random.
fn nested_map() -> Case {
    let features = ["sso", "regions", "api_calls", "tokens", "exports"];
    let key = |number: u32| format!("subject-{number}");
    let values = || features.map(|feature| (feature.to_owned(), true)).into_iter().collect();
    let map: HashMap<String, HashMap<String, bool>> =
        (0..10_000).map(|number| (key(number), values())).collect();
    let asked: Vec<(String, &str)> = (0..10_000_u32)
        .map(|n| (key(n.wrapping_mul(2_654_435_761) % 10_000), n as usize % features.len()))
        .map(|(subject, index)| (subject, features.get(index).copied().unwrap_or_default()))
        .collect();
    let at = Cell::new(0);
    Box::new(move || {
        at.set((at.get() + 1) % asked.len());
        let Some((subject, feature)) = asked.get(at.get()) else { return false };
        map.get(subject).and_then(|features| features.get(*feature)).copied().unwrap_or_default()
    })
}

/// A hundred usages in ten years, with refills every hour and without any.
fn ten_years(name: &str, amount: i64, used: i64) {
    let hourly = Interval::parse("PT1H").expect("an interval");
    let events: Vec<_> =
        (0..100).map(|n| usage(n * 36 * DAY + n * 37 * HOUR / 100, used)).collect();
    let now = at(3_650 * DAY);
    let with = program(&[grant(amount, Some(hourly))]);
    let without = program(&[grant(amount, None)]);
    let slow = measure(|| ask(&with, &events, now));
    let fast = measure(|| ask(&without, &events, now));
    let ratio = slow.as_nanos() as f64 / fast.as_nanos() as f64;
    println!(
        "ten years of hourly refills, {name}: {slow:?}; no refills: {fast:?}; {ratio:.1} times"
    );
}

/// As a snapshot has it: with the state that holds between two boundaries.
fn nothing_crossed() -> Case {
    let (program, now) = between_boundaries();
    let steady = match &program.rule {
        Rule::Metered(metered) => metered.steady(),
        Rule::Boolean | Rule::Static => unreachable!("it is metered"),
    };
    let question = Question::at(now);
    Box::new(move || decide_with(black_box(&program), steady.as_ref(), &question).has_access)
}

/// The same without that state.
fn nothing_crossed_computed() -> Case {
    let (program, now) = between_boundaries();
    Box::new(move || ask(black_box(&program), &[], now))
}

fn between_boundaries() -> (Program, Instant) {
    let mut program = program(&[grant(500, None), grant(100, None), grant(1_000, None)]);
    if let Rule::Metered(metered) = &mut program.rule {
        metered.opening.at = at(100 * DAY);
        metered.opening.period_start = at(90 * DAY);
        metered.timeline.stretches.iter_mut().for_each(|stretch| stretch.from = at(90 * DAY));
    }
    (program, at(101 * DAY))
}

fn boundaries_crossed() -> Case {
    let daily = Interval::parse("P1D").expect("an interval");
    let program = program(&[grant(500, Some(daily)), grant(100, None), grant(1_000, None)]);
    let events: Vec<_> = (0..97).map(|day| usage(day * DAY + HOUR, 7)).collect();
    let now = at(97 * DAY);
    Box::new(move || ask(black_box(&program), &events, now))
}

fn ask(program: &Program, extra: &[UsageEvent], now: Instant) -> bool {
    decide(program, &Question { extra, ..Question::at(now) }).has_access
}

/// The fastest of many runs: others only had to wait for the machine.
fn measure(work: impl Fn() -> bool) -> Duration {
    let run = |count: u32| {
        let start = Stopwatch::now();
        for _ in 0..count {
            black_box(work());
        }
        start.elapsed() / count
    };
    let count = (2_000_000 / run(3).as_nanos().max(10)).max(1);
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    (0..50).map(|_| run(count)).min().unwrap_or_default()
}

fn at(millis: i64) -> Instant {
    Instant::parse(START).expect("an instant").plus_millis(millis)
}

fn usage(millis: i64, units: i64) -> UsageEvent {
    UsageEvent { at: at(millis), amount: Amount::from_units(units) }
}

fn grant(units: i64, interval: Option<Interval>) -> Grant {
    let amount = Amount::from_units(units);
    Grant {
        amount,
        priority: 1,
        effective_at: at(0),
        expires_at: None,
        voided_at: None,
        deleted_at: None,
        recurrence: interval.map(|interval| Recurrence { interval, anchor: at(0) }),
        min_rollover: Amount::from_units(units / 10),
        max_rollover: amount,
    }
}

/// A ledger from its beginning, with monthly resets that overage outlives.
fn program(grants: &[Grant]) -> Program {
    let monthly = Interval::parse("P1M").expect("an interval");
    let grid = Some(Recurrence { interval: monthly, anchor: at(0) });
    let metered = Metered {
        unlimited: false,
        soft_limit: false,
        usage: Usage::Flow { since_opening: Amount::ZERO },
        timeline: Timeline {
            stretches: vec![Stretch { from: at(0), grid, preserve_overage: true }],
            preserve_overage: true,
        },
        grants: grants.to_vec(),
        opening: Opening {
            at: at(0),
            period_start: at(0),
            balances: grants.iter().map(|grant| grant.amount).collect(),
            overage: Amount::ZERO,
            usage: Amount::ZERO,
            grant_usage: Amount::ZERO,
        },
        usage_as_of: at(0),
    };
    Program {
        suspended: false,
        active_from: None,
        active_to: None,
        grace_until: None,
        rule: Rule::Metered(metered),
    }
}
