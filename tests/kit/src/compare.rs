//! Whether an answer is the expected one: the one comparison that everybody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::answer::{Access, Answer, HistoryWindow, Period, Run, Segment, Value};
use crate::case::{Asked, Case};
use crate::question::Question;
use crate::{Amount, Instant, KitError};

/// A field whose answer is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The path of the field in `expected`.
    pub field: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.field, self.expected, self.got)
    }
}

/// How strictly answers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Amounts must be equal, instead of within 1e-9 × max(1, |expected|).
    pub exact: bool,
    /// Expected segments of a value or a run must be answered. Without, whoever is tested has none.
    pub segments: bool,
}

impl Rule {
    /// For figures that a float engine made.
    pub const FLOATS: Self = Self { exact: false, segments: true };
    /// For two exact engines.
    pub const EXACT: Self = Self { exact: true, segments: true };

    /// The same rule for whoever answers no segments.
    #[must_use]
    pub const fn without_segments(self) -> Self {
        Self { segments: false, ..self }
    }
}

/// Whoever is tested: the reference, the engine, the engine in wasm, the package.
pub type Answerer<'a> = dyn FnMut(&Question) -> Result<Answer, KitError> + 'a;

/// Asks everything a case asks and lists what is answered otherwise than expected.
pub fn check(case: &Case, rule: Rule, answerer: &mut Answerer<'_>) -> Vec<Mismatch> {
    let mut found = Vec::new();
    for asked in &case.asked {
        match answerer(&asked.question) {
            Ok(got) => found.extend(compare(asked, rule, &got)),
            Err(error) => found.push(Mismatch {
                field: asked.place.clone(),
                expected: "an answer".to_owned(),
                got: error.to_string(),
            }),
        }
    }
    found
}

/// Lists where `got` is not what was expected.
#[must_use]
pub fn compare(asked: &Asked, rule: Rule, got: &Answer) -> Vec<Mismatch> {
    let hard_limit = match &asked.question {
        Question::Value { ledger, .. } => !ledger.entitlement.is_soft_limit,
        _ => false,
    };
    let mut report = Report { rule, hard_limit, place: asked.place.clone(), found: Vec::new() };
    report.answer(&asked.expected, got);
    report.found
}

struct Report {
    rule: Rule,
    hard_limit: bool,
    place: String,
    found: Vec<Mismatch>,
}

impl Report {
    fn answer(&mut self, expected: &Answer, got: &Answer) {
        match (expected, got) {
            (Answer::Value(expected), Answer::Value(got)) => self.value(expected, got),
            (Answer::Run(expected), Answer::Run(got)) => self.run(expected, got),
            (Answer::History(expected), Answer::History(got)) => {
                self.windows(&expected.windows, &got.windows);
                self.segments(&expected.segments, &got.segments);
            }
            (Answer::Access(expected), Answer::Access(got)) => self.access(expected, got),
            (Answer::Period(expected), Answer::Period(got)) => self.period("", expected, got),
            (expected, got) => self.plain(expected, got),
        }
    }

    fn plain(&mut self, expected: &Answer, got: &Answer) {
        match (expected, got) {
            (Answer::EffectivePeriod(expected), Answer::EffectivePeriod(got)) => {
                self.same("from", &expected.from, &got.from);
                self.same("to", &expected.to, &got.to)
            }
            (Answer::Active(expected), Answer::Active(got)) => {
                self.same("active", &expected.active, &got.active)
            }
            (Answer::Order(expected), Answer::Order(got)) => {
                self.same("order", &expected.order, &got.order)
            }
            (Answer::Point(expected), Answer::Point(got)) => {
                self.same("result", &expected.result, &got.result)
            }
            (Answer::Resets(expected), Answer::Resets(got)) => {
                self.same("times", &expected.times, &got.times);
                self.same("timesWithFirst", &expected.times_with_first, &got.times_with_first)
            }
            // An answer of another shape altogether.
            (expected, got) => self.same("", expected, got),
        };
    }

    fn value(&mut self, expected: &Value, got: &Value) {
        self.amount("balance", expected.balance, got.balance);
        self.amount("usage", expected.usage, got.usage);
        self.amount("overage", expected.overage, got.overage);
        self.amount(
            "totalAvailableGrantAmount",
            expected.total_available_grant_amount,
            got.total_available_grant_amount,
        );
        if !self.excused_by_dust(expected, got) {
            self.same("hasAccess", &expected.has_access, &got.has_access);
        }
        self.balances(&expected.grant_balances, &got.grant_balances);
        self.period(
            "currentUsagePeriod",
            &expected.current_usage_period,
            &got.current_usage_period,
        );
        self.optional_segments(expected.segments.as_deref(), got.segments.as_deref());
    }

    /// A float engine may see 1e-15 left where an exact one sees nothing, or the reverse. Then it
    /// is enough that the answer agrees with itself.
    fn excused_by_dust(&self, expected: &Value, got: &Value) -> bool {
        let nothing = |balance| self.equal(balance, Amount::ZERO);
        let consistent = got.has_access == (got.balance > Amount::ZERO);
        let empty = nothing(expected.balance) && nothing(got.balance);
        !self.rule.exact && self.hard_limit && empty && consistent
    }

    fn run(&mut self, expected: &Run, got: &Run) {
        self.same("at", &expected.at, &got.at);
        self.amount("balance", expected.balance, got.balance);
        self.amount("overage", expected.overage, got.overage);
        self.amount("usage", expected.usage, got.usage);
        self.amount("totalGrantUsage", expected.total_grant_usage, got.total_grant_usage);
        self.balances(&expected.grant_balances, &got.grant_balances);
        self.optional_segments(expected.segments.as_deref(), got.segments.as_deref());
    }

    fn access(&mut self, expected: &Access, got: &Access) {
        if expected.active.is_some() {
            self.same("active", &expected.active, &got.active);
        }
        self.same("hasAccess", &expected.has_access, &got.has_access);
        if let Some(expected) = &expected.reason {
            self.same("reason", expected, &got.reason.clone().flatten());
        }
    }

    fn period(&mut self, field: &str, expected: &Period, got: &Period) {
        self.same(&join(field, "from"), &expected.from, &got.from);
        self.same(&join(field, "to"), &expected.to, &got.to);
    }

    fn balances(&mut self, expected: &BTreeMap<String, Amount>, got: &BTreeMap<String, Amount>) {
        let ids = |map: &BTreeMap<String, Amount>| map.keys().cloned().collect::<Vec<_>>();
        self.same("grantBalances", &ids(expected), &ids(got));
        self.amounts("grantBalances", expected, got);
    }

    /// Absent counts as 0.
    fn amounts(
        &mut self,
        field: &str,
        expected: &BTreeMap<String, Amount>,
        got: &BTreeMap<String, Amount>,
    ) {
        let of = |map: &BTreeMap<String, Amount>, id: &String| {
            map.get(id).copied().unwrap_or(Amount::ZERO)
        };
        for id in expected.keys().chain(got.keys()).collect::<BTreeSet<_>>() {
            self.amount(&join(field, id), of(expected, id), of(got, id));
        }
    }

    fn windows(&mut self, expected: &[HistoryWindow], got: &[HistoryWindow]) {
        let spans = |windows: &[HistoryWindow]| {
            windows.iter().map(|window| (window.from, window.to)).collect::<Vec<_>>()
        };
        if !self.same("windows", &spans(expected), &spans(got)) {
            return;
        }
        for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
            let field = format!("windows[{index}]");
            self.amount(&join(&field, "usage"), expected.usage, got.usage);
            let balance = join(&field, "balanceAtStart");
            self.amount(&balance, expected.balance_at_start, got.balance_at_start);
        }
    }

    fn optional_segments(&mut self, expected: Option<&[Segment]>, got: Option<&[Segment]>) {
        match (expected, got) {
            (Some(expected), Some(got)) => self.segments(expected, got),
            (Some(_), None) if self.rule.segments => self.same("segments", &"some", &"none"),
            _ => true,
        };
    }

    fn segments(&mut self, expected: &[Segment], got: &[Segment]) -> bool {
        let got = resumed(expected, got);
        let spans = |segments: &[Segment]| {
            segments.iter().map(|segment| (segment.from, segment.to)).collect::<Vec<_>>()
        };
        if !self.same("segments", &spans(expected), &spans(got)) {
            return false;
        }
        for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
            self.segment(&format!("segments[{index}]"), expected, got);
        }
        true
    }

    fn segment(&mut self, field: &str, expected: &Segment, got: &Segment) {
        let start = join(field, "balanceAtStart");
        self.amounts(&start, &expected.balance_at_start, &got.balance_at_start);
        self.amounts(&join(field, "grantUsages"), &by_grant(expected), &by_grant(got));
        self.amount(&join(field, "totalUsage"), expected.total_usage, got.total_usage);
        self.amount(&join(field, "overage"), expected.overage, got.overage);
    }

    fn amount(&mut self, field: &str, expected: Amount, got: Amount) {
        if !self.equal(got, expected) {
            self.miss(field, expected.to_string(), got.to_string());
        }
    }

    fn equal(&self, a: Amount, b: Amount) -> bool {
        let distance = (a - b).as_nanos().abs();
        let size = b.as_nanos().abs().max(1_000_000_000);
        if self.rule.exact { distance == 0 } else { distance * 1_000_000_000 <= size }
    }

    fn same<T: PartialEq + fmt::Debug>(&mut self, field: &str, expected: &T, got: &T) -> bool {
        if expected != got {
            self.miss(field, format!("{expected:?}"), format!("{got:?}"));
        }
        expected == got
    }

    fn miss(&mut self, field: &str, expected: String, got: String) {
        let field = join(&self.place, field);
        self.found.push(Mismatch { field, expected, got });
    }
}

fn join(place: &str, field: &str) -> String {
    if place.is_empty() || field.is_empty() {
        format!("{place}{field}")
    } else {
        format!("{place}.{field}")
    }
}

fn by_grant(segment: &Segment) -> BTreeMap<String, Amount> {
    let mut sums = BTreeMap::<String, Amount>::new();
    for usage in &segment.grant_usages {
        *sums.entry(usage.grant_id.clone()).or_default() += usage.usage;
    }
    sums
}

/// Expected segments may begin at a later manual reset, where upstream had stored a checkpoint;
/// then the reset's own segment, which an answer from the facts has, belongs to what came before.
fn resumed<'a>(expected: &[Segment], got: &'a [Segment]) -> &'a [Segment] {
    let starts = |segments: &[Segment]| segments.first().map(|segment| segment.from);
    let (Some(expected_start), Some(got_start)) = (starts(expected), starts(got)) else {
        return got;
    };
    if expected_start <= got_start {
        return got;
    }
    let before = got.iter().take_while(|segment| segment.from < expected_start).count();
    let rest = &got[before..];
    let own_reset =
        rest.len() > 1 && is_instant(&rest[0], expected_start) && rest[1].from == expected_start;
    if own_reset { &rest[1..] } else { rest }
}

fn is_instant(segment: &Segment, at: Instant) -> bool {
    segment.from == at && segment.to == at
}
