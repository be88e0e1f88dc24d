//! Questions about several features at once: whether a demand fits, whether an expression holds,
//! and what features there are.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::Amount;
use edgegrant::engine::program::{Grant, Rule, Usage};
use edgegrant::gate::{
    Ask, Clock, Demand, Expression, Fit, FoundGrant, Gate, Options, PolicySource, Reason,
    Shortfall, SliceGate,
};
use edgegrant::snapshot::{EntitlementRecord, SubjectRecord, WhenExpired, encode};
use edgegrant::time::Instant;
use snapshot_support::paged::Paged;
use snapshot_support::signed::{HOUR, ask, gate, key, open, options};
use snapshot_support::{Own, encode_planned, features, plain, planned, settings, usage_as_of};

const SUBJECT: &str = "customer-000000";

fn now() -> Instant {
    usage_as_of().plus_millis(61_000)
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn wanted(demand: &[(&str, &str)]) -> Vec<(String, Amount)> {
    demand.iter().map(|(feature, units)| ((*feature).to_owned(), amount(units))).collect()
}

/// The subject with one metered entitlement for each way to count.
fn subject() -> SubjectRecord {
    let metered = |number: usize, change: &dyn Fn(&mut edgegrant::engine::program::Metered)| {
        let planned = planned(0, Own::Usage).entitlements[0].clone();
        let mut program = planned.program;
        let Rule::Metered(metered) = &mut program.rule else { panic!("not metered") };
        metered.grants[0].amount = amount("25.5");
        metered.opening.balances[0] = amount("25.5");
        metered.usage = Usage::Level { in_use: amount("10.2") };
        change(metered);
        EntitlementRecord { feature: format!("feature_{number}"), program, steady: None, ..planned }
    };
    let mut suspended = metered(5, &|_| ());
    suspended.program.suspended = true;
    let mut grace = metered(6, &|_| ());
    grace.program.grace_until = Some(now().plus_millis(HOUR));
    let boolean = EntitlementRecord {
        feature: "feature_7".to_owned(),
        program: plain(Rule::Boolean),
        config: None,
        grant_ids: Vec::new(),
        steady: None,
    };
    let unknown_soft = |metered: &mut edgegrant::engine::program::Metered| {
        metered.usage = Usage::Unknown;
        metered.soft_limit = true;
    };
    let entitlements = vec![
        metered(0, &|_| ()),
        metered(1, &|metered| metered.soft_limit = true),
        metered(2, &|metered| metered.unlimited = true),
        metered(3, &|metered| metered.usage = Usage::Unknown),
        metered(4, &unknown_soft),
        suspended,
        grace,
        boolean,
    ];
    SubjectRecord { id: SUBJECT.to_owned(), aliases: vec!["alias".to_owned()], entitlements }
}

fn gates() -> (Gate, SliceGate) {
    let encoded = encode(&settings(), &features(10), vec![subject()]).unwrap();
    let gate = gate(&encoded, 1);
    let slice = open(&gate.slice(SUBJECT).unwrap(), SUBJECT).unwrap();
    (gate, slice)
}

fn fit(gate: &Gate, wanted: &[(String, Amount)]) -> Fit {
    let clock = Clock::At(now());
    gate.can_fit(&Demand { subject: SUBJECT, wanted, clock, at: None }).unwrap()
}

fn shortfall(feature: &str, missing: Option<&str>, reason: Reason) -> Shortfall {
    Shortfall { feature: feature.to_owned(), amount: missing.map(amount), reason }
}

#[test]
fn what_is_left_decides_whether_a_demand_fits() {
    let (gate, slice) = gates();
    let cases = [
        ("feature_0", "15.3", None),
        ("feature_0", "15.4", Some((Some("0.1"), Reason::Exhausted))),
        ("feature_0", "0", None),
        ("feature_1", "1000000", None),
        ("feature_2", "1000000", None),
        ("feature_3", "25.6", Some((None, Reason::Exhausted))),
        ("feature_4", "1000000", None),
        ("feature_4", "3", None),
        ("feature_5", "2", Some((Some("2"), Reason::Suspended))),
        ("feature_5", "0", None),
        ("feature_6", "16", Some((Some("0.7"), Reason::Exhausted))),
        ("feature_7", "1", None),
        ("feature_8", "4", Some((Some("4"), Reason::NotEntitled))),
    ];
    for (feature, units, expected) in cases {
        let wanted = wanted(&[(feature, units)]);
        let missing: Vec<_> = expected
            .map(|(missing, reason)| shortfall(feature, missing, reason))
            .into_iter()
            .collect();
        let expected = Fit { fits: missing.is_empty(), missing, unknown: Vec::new() };
        assert_eq!(fit(&gate, &wanted), expected, "{feature} {units}");
        let demand =
            Demand { subject: SUBJECT, wanted: &wanted, clock: Clock::At(now()), at: None };
        assert_eq!(slice.can_fit(&demand).unwrap(), expected, "{feature} {units}");
        let aliased = Demand { subject: "alias", ..demand };
        assert_eq!(gate.can_fit(&aliased).unwrap(), expected, "{feature} {units}");
    }
    let unknown = wanted(&[("feature_9x", "1")]);
    let missing = vec![shortfall("feature_9x", Some("1"), Reason::UnknownFeature)];
    assert_eq!(fit(&gate, &unknown).missing, missing);
}

#[test]
fn what_nobody_counts_is_said_to_be_unknown() {
    let (gate, _) = gates();
    let told = fit(&gate, &wanted(&[("feature_3", "25.5"), ("feature_0", "1")]));
    let unknown = vec!["feature_3".to_owned()];
    assert_eq!(told, Fit { fits: false, missing: Vec::new(), unknown });
}

#[test]
fn all_of_a_demand_is_told_in_its_order() {
    let (gate, _) = gates();
    let demand = [("feature_9", "1"), ("feature_3", "1"), ("feature_7", "9"), ("feature_0", "16")];
    let told = fit(&gate, &wanted(&demand));
    let missing = vec![
        shortfall("feature_9", Some("1"), Reason::NotEntitled),
        shortfall("feature_0", Some("0.7"), Reason::Exhausted),
    ];
    assert_eq!(told, Fit { fits: false, missing, unknown: vec!["feature_3".to_owned()] });
    assert_eq!(fit(&gate, &[]), Fit { fits: true, missing: Vec::new(), unknown: Vec::new() });
}

#[test]
fn where_nothing_is_known_nothing_fits_and_no_amount_is_told() {
    let encoded = encode_planned(3, Own::Usage);
    let demand = wanted(&[("feature_0", "1")]);
    let without = Gate::new(options(&[key(1)], 1));
    let paged = Paged::new(&encoded, usize::MAX);
    let whole = gate(&encoded, 1);
    let late = Clock::At(now().plus_millis(30 * 24 * HOUR));
    let clock = Clock::At(now());
    let early = Some(now().plus_millis(-40 * 24 * HOUR));
    let cases = [
        (&without, clock, None, Reason::NoSnapshot),
        (&paged.gate, clock, None, Reason::NotResident),
        (&whole, late, None, Reason::DeadSnapshot),
        (&whole, clock, early, Reason::BeforeOpening),
    ];
    for (gate, clock, at, reason) in cases {
        let told = gate.can_fit(&Demand { subject: SUBJECT, wanted: &demand, clock, at }).unwrap();
        let missing = vec![shortfall("feature_0", None, reason)];
        assert_eq!(told, Fit { fits: false, missing, unknown: Vec::new() });
    }
}

#[test]
fn a_demand_is_bounded() {
    let (gate, _) = gates();
    let clock = Clock::At(now());
    let wanted = vec![("feature_0".to_owned(), Amount::ZERO); 1001];
    let told = gate.can_fit(&Demand { subject: SUBJECT, wanted: &wanted, clock, at: None });
    assert_eq!(told.unwrap_err().code(), "demand-limit");
}

/// Id, amount and balance of grants that count, and the state of the others.
fn told(gate: &Gate, feature: &str, at: Instant) -> Vec<String> {
    let ask = Ask { at: Some(at), ..ask(SUBJECT, feature, now()) };
    let tell = |grant: FoundGrant| match (grant.counts, grant.balance) {
        (true, Some(left)) => format!("{}: {left} of {}", grant.id, grant.amount),
        (true, None) => format!("{}: {}", grant.id, grant.amount),
        (false, left) => format!("{}: {} {left:?}", grant.id, grant.state.as_str()),
    };
    gate.explain(&ask).grants(None).unwrap().into_iter().map(tell).collect()
}

#[test]
fn what_each_grant_gives_is_told() {
    let mut record = subject();
    let day = 24 * HOUR;
    for (entitlement, usage) in record.entitlements.iter_mut().zip([Some(Usage::Unknown), None]) {
        let Rule::Metered(metered) = &mut entitlement.program.rule else { panic!("not metered") };
        let (start, today) = (metered.opening.at.floor_minute(), now().floor_minute());
        metered.usage = usage.unwrap_or(Usage::Flow { since_opening: amount("7") });
        let tomorrow = Some(today.plus_millis(day));
        let windows =
            [(4, start, tomorrow), (5, start, None), (9, today.plus_millis(2 * day), None)];
        let grants = windows.map(|(amount, effective_at, expires_at)| {
            let amount = Amount::from_units(amount);
            Grant { amount, effective_at, expires_at, recurrence: None, ..metered.grants[0] }
        });
        metered.grants = grants.to_vec();
        metered.opening.balances = [4, 5, 0].map(Amount::from_units).to_vec();
        entitlement.grant_ids = ["short", "long", "later"].map(str::to_owned).to_vec();
    }
    let encoded = encode(&settings(), &features(10), vec![record]).unwrap();
    let gate = gate(&encoded, 1);
    let later = now().plus_millis(3 * day);
    assert_eq!(told(&gate, "feature_0", now()), ["short: 4", "long: 5", "later: not-yet None"]);
    let ended = ["short: expired None", "long: 5", "later: 9"];
    assert_eq!(told(&gate, "feature_0", later), ended);
    let burnt = ["short: 0 of 4", "long: 2 of 5", "later: not-yet None"];
    assert_eq!(told(&gate, "feature_1", now()), burnt);
    // Nobody counts what nothing limits.
    let one = told(&gate, "feature_2", now());
    assert!(one.len() == 1 && one[0].ends_with(": 25.5"), "{one:?}");
    let suspended = told(&gate, "feature_5", now());
    assert!(suspended[0].ends_with(": active None"), "{suspended:?}");
    for feature in ["feature_7", "feature_8", "what"] {
        assert_eq!(told(&gate, feature, now()), Vec::<String>::new());
    }
    let explained = gate.explain(&ask("alias", "feature_0", now()));
    let named = ["later", "long", "what", "long"].map(str::to_owned);
    let named = explained.grants(Some(&named)).unwrap();
    let ids: Vec<_> = named.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids, ["long", "later"]);
    assert_eq!((named[0].ends_at, named[1].ends_at), (None, None));
    assert_eq!(named[1].effective_at, now().floor_minute().plus_millis(2 * day));
    let slice = open(&gate.slice(SUBJECT).unwrap(), SUBJECT).unwrap();
    let ask = ask(SUBJECT, "feature_0", now());
    assert_eq!(slice.explain(&ask).grants(None), gate.explain(&ask).grants(None));
}

#[test]
fn grants_that_cannot_be_told_are_not_said_to_be_none() {
    let encoded = encode_planned(3, Own::Usage);
    let code = |gate: &Gate, at: Instant| {
        let grants = gate.explain(&ask(SUBJECT, "feature_0", at)).grants(None);
        grants.err().map_or("", |error| error.code())
    };
    let without = Options { dangerously_open_without_snapshot: true, ..options(&[key(1)], 1) };
    assert_eq!(code(&Gate::new(without), now()), "no-snapshot");
    let mut paged = Paged::new(&encoded, usize::MAX);
    assert_eq!(code(&paged.gate, now()), "not-resident");
    paged.reside(SUBJECT);
    assert_eq!(code(&paged.gate, now()), "");
    assert_eq!(code(&paged.gate, now().plus_millis(30 * 24 * HOUR)), "dead-snapshot");
    let many = vec!["grant".to_owned(); 1001];
    let explained = paged.gate.explain(&ask(SUBJECT, "feature_0", now()));
    assert_eq!(explained.grants(Some(&many)).unwrap_err().code(), "list-limit");
}

#[test]
fn an_expression_is_about_access() {
    let (gate, slice) = gates();
    let truths = [
        ("feature_7", true),
        ("feature_5", false),
        ("!feature_5", true),
        ("feature_5|feature_7", true),
        ("!feature_5|feature_7", false),
        ("feature_7 & feature_0", true),
        ("feature_7 & !feature_9", true),
        ("nobody_has_it", false),
        ("!nobody_has_it", true),
        ("*", true),
        ("feature_5|*", true),
    ];
    for (text, expected) in truths {
        let expression = Expression::parse(text).unwrap();
        let asked = ask(SUBJECT, "", now());
        assert_eq!(gate.satisfies(&asked, &expression), expected, "{text}");
        assert_eq!(slice.satisfies(&asked, &expression), expected, "{text}");
    }
}

#[test]
fn without_knowledge_a_negation_does_not_hold() {
    let encoded = encode_planned(3, Own::Usage);
    let expression = Expression::parse("!feature_9").unwrap();
    let without = Gate::new(options(&[key(1)], 1));
    assert!(!without.satisfies(&ask(SUBJECT, "", now()), &expression));
    let mut paged = Paged::new(&encoded, usize::MAX);
    assert!(!paged.gate.satisfies(&ask("nobody", "", now()), &expression));
    paged.reside("nobody");
    assert!(paged.gate.satisfies(&ask("nobody", "", now()), &expression));
    let late = now().plus_millis(30 * 24 * HOUR);
    assert!(!paged.gate.satisfies(&ask("nobody", "", late), &expression));
}

#[test]
fn the_catalogue_tells_keys_units_and_policies() {
    let mut gate = gate(&encode_planned(3, Own::Usage), 1);
    gate.policies().tighten("feature_3", WhenExpired::Closed).unwrap();
    let all = gate.catalogue(None).unwrap();
    let keys: Vec<_> = all.iter().map(|feature| feature.feature.clone()).collect();
    assert_eq!(keys, (0..10).map(|number| format!("feature_{number}")).collect::<Vec<_>>());
    let names = ["feature_3", "feature_1", "what", "feature_3"].map(str::to_owned);
    let named = gate.catalogue(Some(&names)).unwrap();
    let told: Vec<_> = named
        .iter()
        .map(|f| (f.feature.as_str(), f.unit.as_deref(), f.when_expired, f.policy_source))
        .collect();
    let expected = [
        ("feature_1", None, WhenExpired::Closed, PolicySource::Signed),
        ("feature_3", Some("request"), WhenExpired::Closed, PolicySource::Local),
    ];
    assert_eq!(told, expected);
    let many = vec!["feature_1".to_owned(); 1001];
    assert_eq!(gate.catalogue(Some(&many)).unwrap_err().code(), "list-limit");
    let without = Gate::new(options(&[key(1)], 1));
    assert_eq!(without.catalogue(None).unwrap_err().code(), "no-snapshot");
}
