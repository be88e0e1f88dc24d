//! Usage that is not burnt down, and the order of the rules.

use edgegrant::engine::program::{Program, Rule, Usage};
use edgegrant::engine::{Decision, Numbers, Question, Reason, compile, decide};
use edgegrant::model::{Entitlement, Status, UsageKind};
use edgegrant::{Amount, Instant};
use edgegrant_testkit::{engine, property};

use super::{asked, facts};

fn units(units: i64) -> Amount {
    Amount::from_units(units)
}

fn with_usage(facts: &mut Entitlement, kind: UsageKind, figures: Option<[i64; 3]>) {
    let usage = facts.usage.as_mut().expect("usage");
    usage.kind = kind;
    usage.events.clear();
    let [amount, balance, overage] = figures.unwrap_or_default().map(|n| Some(units(n)));
    let value = kind == UsageKind::Value;
    usage.amount = amount.filter(|_| figures.is_some());
    usage.balance = balance.filter(|_| value);
    usage.overage = overage.filter(|_| value);
}

/// The decisions of a seed for a kind of usage, with what is granted at each and what is used more.
fn decisions(seed: u64, kind: UsageKind, figures: Option<[i64; 3]>) -> Vec<(Decision, Amount)> {
    let questions = facts(seed);
    let mut facts = engine::entitlement(&questions);
    with_usage(&mut facts, kind, figures);
    let nows = asked(&questions);
    let publish_at = *nows.first().expect("a query");
    let program = compile(&facts, Status::Active, publish_at).expect("it compiles").program;
    let Rule::Metered(metered) = &program.rule else { panic!("it is metered") };
    let used = units(if seed.is_multiple_of(2) { 0 } else { 3 });
    let decided = nows.into_iter().map(|now| {
        let minute = now.ceil_minute();
        let active = metered.grants.iter().filter(|grant| grant.is_active_at(minute));
        let granted: Amount = active.map(|grant| grant.amount).sum();
        (decide(&program, &Question { used, ..Question::at(now) }), granted - used)
    });
    decided.collect()
}

fn figures(decision: &Decision) -> [Option<Amount>; 3] {
    let Numbers { balance, usage, overage, .. } = decision.numbers.expect("numbers");
    [balance, usage, overage]
}

#[test]
fn a_level_is_held_against_what_is_granted_now() {
    property::holds("level", 200, |seed| {
        let level = units(250);
        let decisions = decisions(seed, UsageKind::Level, Some([250, 0, 0]));
        let wrong = decisions.into_iter().filter(|(decision, granted)| {
            let net = *granted - level;
            let used = if seed.is_multiple_of(2) { level } else { level + units(3) };
            let expected = [Some(net.or_zero()), Some(used), Some((-net).or_zero())];
            let soft = decision.reason == Reason::SoftLimit;
            figures(decision) != expected || decision.has_access != (soft || net.is_positive())
        });
        wrong.map(|wrong| format!("{wrong:?}")).collect()
    });
}

#[test]
fn unknown_usage_leaves_figures_out_until_a_caller_says() {
    property::holds("unknown", 200, |seed| {
        let decisions = decisions(seed, UsageKind::Unknown, None);
        let wrong = decisions.into_iter().filter(|(decision, net)| {
            let said = [Some(net.or_zero()), Some(units(3)), Some((-*net).or_zero())];
            let expected = if seed.is_multiple_of(2) { [None; 3] } else { said };
            let soft = decision.reason == Reason::SoftLimit;
            figures(decision) != expected || decision.has_access != (soft || net.is_positive())
        });
        wrong.map(|wrong| format!("{wrong:?}")).collect()
    });
}

#[test]
fn a_value_stands_until_something_happens() {
    property::holds("value", 200, |seed| {
        let decisions = decisions(seed, UsageKind::Value, Some([7, 2, 0]));
        let used = if seed.is_multiple_of(2) { 0 } else { 3 };
        let net = units(2 - used);
        let expected = [Some(net.or_zero()), Some(units(7 + used)), Some((-net).or_zero())];
        let mut failures = Vec::new();
        let mut lapsed = false;
        for (decision, _) in decisions {
            lapsed |= decision.lapsed;
            if figures(&decision) != expected || decision.lapsed != lapsed {
                failures.push(format!("{decision:?}"));
            }
        }
        failures
    });
}

fn instant(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

/// A grant of ten units of which `used` are used.
fn ten(used: i64) -> Entitlement {
    let text = format!(
        r#"{{"feature": "f", "type": "metered", "measureUsageFrom": "2024-01-01T00:00:00Z",
            "grants": [{{"id": "g", "amount": 10, "effectiveAt": "2024-01-01T00:00:00Z"}}],
            "usage": {{"kind": "flow", "events": [
                {{"at": "2024-01-01T12:00:00Z", "amount": {used}}}]}}}}"#
    );
    serde_json::from_str(&text).expect("facts")
}

fn program(facts: &Entitlement) -> Program {
    let publish_at = instant("2024-01-02T00:00:00Z");
    compile(facts, Status::Active, publish_at).expect("it compiles").program
}

#[test]
fn the_first_rule_that_applies_decides() {
    let now = instant("2024-01-03T00:00:00Z");
    let (before, after) = (instant("2024-01-02T12:00:00Z"), instant("2024-01-04T00:00:00Z"));
    let mut program = program(&ten(10));
    let reason = |program: &Program, amount: Option<i64>| {
        let amount = amount.map(units);
        let decision = decide(program, &Question { amount, ..Question::at(now) });
        assert_eq!(decision.has_access, decision.reason.has_access());
        decision.reason
    };
    fn metered(program: &mut Program) -> &mut edgegrant::engine::program::Metered {
        match &mut program.rule {
            Rule::Metered(metered) => metered,
            Rule::Boolean | Rule::Static => panic!("it is metered"),
        }
    }
    assert_eq!(reason(&program, None), Reason::Exhausted);
    assert_eq!(reason(&program, Some(0)), Reason::WithinBalance);
    metered(&mut program).soft_limit = true;
    assert_eq!(reason(&program, None), Reason::SoftLimit);
    assert_eq!(reason(&program, Some(1)), Reason::SoftLimit);
    metered(&mut program).unlimited = true;
    assert_eq!(reason(&program, None), Reason::Unlimited);
    program.grace_until = Some(after);
    assert_eq!(reason(&program, None), Reason::Grace);
    assert_eq!(reason(&program, Some(1)), Reason::Unlimited, "grace is for present use alone");
    program.grace_until = Some(now);
    assert_eq!(reason(&program, None), Reason::Unlimited, "grace has ended at its end");
    program.grace_until = Some(after);
    program.active_to = Some(now);
    assert_eq!(reason(&program, None), Reason::Ended, "the end is exclusive");
    program.active_to = None;
    program.active_from = Some(after);
    assert_eq!(reason(&program, None), Reason::NotYet);
    program.active_to = Some(before);
    assert_eq!(reason(&program, None), Reason::Ended, "an empty window is never active");
    program.suspended = true;
    assert_eq!(reason(&program, None), Reason::Suspended);
    let early = Question::at(instant("2023-12-01T00:00:00Z"));
    program = self::program(&ten(1));
    assert_eq!(decide(&program, &early).reason, Reason::BeforeOpening);
    let Rule::Metered(rule) = &program.rule else { panic!("it is metered") };
    assert!(matches!(rule.usage, Usage::Flow { .. }));
    assert_eq!(reason(&program, Some(9)), Reason::WithinBalance);
    assert_eq!(reason(&program, Some(10)), Reason::Exhausted);
}

#[test]
fn decimals_are_exact_and_the_largest_amount_passes() {
    let facts = |amount: &str, used: &str| {
        let text = format!(
            r#"{{"feature": "f", "type": "metered", "measureUsageFrom": "2024-01-01T00:00:00Z",
                "grants": [{{"id": "g", "amount": {amount},
                    "effectiveAt": "2024-01-01T00:00:00Z"}}],
                "usage": {{"kind": "flow", "events": [{used}]}}}}"#
        );
        serde_json::from_str::<Entitlement>(&text)
    };
    let balance = |facts: &Entitlement| {
        let now = instant("2024-01-03T00:00:00Z");
        let decision = decide(&program(facts), &Question::at(now));
        (decision.numbers.and_then(|numbers| numbers.balance), decision.has_access)
    };
    let used = r#"{"at": "2024-01-01T01:00:00Z", "amount": 0.1},
        {"at": "2024-01-01T02:00:00Z", "amount": 0.2}"#;
    let tenths = facts("0.3", used).expect("facts");
    assert_eq!(balance(&tenths), (Some(Amount::ZERO), false));
    let largest = facts("9007199254740991", "").expect("facts");
    assert_eq!(balance(&largest), (Some(Amount::MAX), true));
    let written = serde_json::to_string(&largest).expect("facts");
    assert_eq!(serde_json::from_str::<Entitlement>(&written).expect("facts"), largest);
    let refused = facts("9007199254740992", "").expect_err("2^53 is refused").to_string();
    assert!(refused.contains("2^53 - 1"), "{refused}");
}

#[test]
fn usage_before_measuring_began_does_not_count() {
    let now = instant("2024-01-03T00:00:00Z");
    let facts = ten(0);
    let published = instant("2023-12-01T00:00:00Z");
    let mut facts = facts;
    facts.usage = None;
    let program = compile(&facts, Status::Active, published).expect("it compiles").program;
    let used = |at: &str| edgegrant::engine::UsageEvent { at: instant(at), amount: units(4) };
    let extra = [used("2023-12-15T00:00:00Z"), used("2024-01-01T00:00:00Z")];
    let decision = decide(&program, &Question { extra: &extra, ..Question::at(now) });
    assert_eq!(decision.numbers.and_then(|numbers| numbers.balance), Some(units(6)));
}
