//! A gate over a signed snapshot: access, freshness, usage seen here, and what it refuses.
#![allow(
    non_snake_case,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first broken assumption"
)]

use edgegrant::gate::{Ask, Clock, FeatureNumber, Gate, Offer, Options, Origin, Reason};
use edgegrant::model::{Config, Recurrence, UsageEvent, WhenExpired};
use edgegrant::model::{Entitlement, EntitlementType, Feature, Grant, Subject, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant::trust::Keyring;
use edgegrant::{Amount, Error, Instant, Interval};
use edgegrant_testkit::published::{AUDIENCE, Published, Times, key, publish};

const HOUR: i64 = 3_600_000;

fn instant(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn timestamp(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Instant {
    instant("2026-03-10T12:00:30Z")
}

fn new_gate() -> Gate {
    let keyring = Keyring::new(vec![key().trusted_key()], 1).unwrap();
    let audience = AUDIENCE.to_owned();
    Gate::new(Options::new(audience, keyring))
}

fn load(gate: &mut Gate, published: &Published, at: Instant) -> Result<(), Error> {
    match gate.offer(&published.head, Clock::At(at), Origin::Network)? {
        Offer::Unchanged => Ok(()),
        Offer::Body { length, .. } => {
            assert_eq!(length, published.pack.len() as u64);
            gate.accept(published.pack.clone())
        }
    }
}

fn loaded(published: &Published) -> Gate {
    let mut gate = new_gate();
    load(&mut gate, published, now()).unwrap();
    gate
}

fn ask<'a>(subject: &'a str, feature: &'a str, at: Instant) -> Ask<'a> {
    Ask { subject, feature, clock: Clock::At(at), at: None, amount: None, used: None }
}

fn feature(key: &str, when_expired: WhenExpired) -> Feature {
    Feature { unit: Some("call".to_owned()), when_expired: Some(when_expired), ..Feature::new(key) }
}

fn calls(amount: &str, used: &str) -> Entitlement {
    Entitlement {
        measure_usage_from: Some(timestamp("2026-03-01T00:00:00Z")),
        usage_period: Some(Recurrence {
            interval: Interval::parse("P1M").unwrap(),
            anchor: timestamp("2026-03-01T00:00:00Z"),
        }),
        grants: vec![Grant {
            id: "plan".to_owned(),
            amount: Amount::parse(amount).unwrap(),
            priority: 1,
            effective_at: timestamp("2026-03-01T00:00:00Z"),
            expiration: None,
            expires_at: None,
            recurrence: None,
            min_rollover: Amount::parse(amount).unwrap(),
            max_rollover: Amount::parse(amount).unwrap(),
            voided_at: None,
            deleted_at: None,
            created_at: None,
        }],
        usage: Some(Usage {
            kind: UsageKind::Flow,
            events: vec![UsageEvent {
                at: timestamp("2026-03-02T00:00:00Z"),
                amount: Amount::parse(used).unwrap(),
            }],
            amount: None,
            balance: None,
            overage: None,
            as_of: None,
        }),
        ..Entitlement::new("calls", EntitlementType::Metered)
    }
}

fn subject(id: &str, entitlements: Vec<Entitlement>) -> Subject {
    Subject { aliases: vec![format!("{id}@example.com")], entitlements, ..Subject::new(id) }
}

fn facts(limit: &str) -> (Vec<Feature>, Vec<Subject>) {
    let features = vec![
        feature("calls", WhenExpired::LastKnown),
        feature("sso", WhenExpired::Closed),
        feature("plan", WhenExpired::Open),
        feature("unused", WhenExpired::Open),
    ];
    let sso = Entitlement::new("sso", EntitlementType::Boolean);
    let plan = Entitlement {
        config: Some(Config::parse(r#"{"seats": 5}"#).unwrap()),
        ..Entitlement::new("plan", EntitlementType::Static)
    };
    let acme = subject("acme", vec![calls(limit, "40"), sso, plan]);
    (features, vec![acme, subject("empty", Vec::new())])
}

fn published_at(limit: &str, at: Instant) -> Published {
    let (features, subjects) = facts(limit);
    publish(&features, &subjects, Times::at(at)).unwrap()
}

fn published(limit: &str) -> Published {
    published_at(limit, now())
}

#[test]
fn answers_by_name_and_by_alias() {
    let gate = loaded(&published("100"));
    for id in ["acme", "acme@example.com"] {
        let answer = gate.check(&ask(id, "calls", now()));
        assert_eq!(answer.reason, Reason::WithinBalance);
        assert_eq!(answer.balance, Some(Amount::from_units(60)));
        assert_eq!(answer.usage, Some(Amount::from_units(40)));
        assert_eq!(answer.overage, Some(Amount::ZERO));
        assert_eq!(answer.total_available, Some(Amount::from_units(100)));
        assert_eq!(answer.unit.as_deref(), Some("call"));
        assert!(gate.has_access(&ask(id, "calls", now())));
    }
    let plan = gate.check(&ask("acme", "plan", now()));
    assert_eq!((plan.reason, plan.config.as_deref()), (Reason::Static, Some(r#"{"seats":5}"#)));
    assert_eq!(plan.balance, None);
}

#[test]
fn names_what_is_unknown() {
    let gate = loaded(&published("100"));
    let reason = |subject, feature| gate.check(&ask(subject, feature, now())).reason;
    assert_eq!(reason("nobody", "calls"), Reason::UnknownSubject);
    assert_eq!(reason("__proto__", "calls"), Reason::UnknownSubject);
    assert_eq!(reason("acme", "nothing"), Reason::UnknownFeature);
    assert_eq!(reason("nobody", "nothing"), Reason::UnknownSubject);
    assert_eq!(reason("acme", "unused"), Reason::NotEntitled);
    assert_eq!(reason("empty", "sso"), Reason::NotEntitled);
    assert_eq!(new_gate().check(&ask("acme", "sso", now())).reason, Reason::NoSnapshot);
}

#[test]
fn amounts_are_asked_for_exactly() {
    let gate = loaded(&published("40.3"));
    let wanted = |amount| {
        let amount = Some(Amount::parse(amount).unwrap());
        gate.has_access(&Ask { amount, ..ask("acme", "calls", now()) })
    };
    assert!(wanted("0.3") && wanted("0"));
    assert!(!wanted("0.300000001"));
    let used = Some(Amount::parse("0.1").unwrap() + Amount::parse("0.2").unwrap());
    let answer = gate.check(&Ask { used, ..ask("acme", "calls", now()) });
    assert_eq!((answer.balance, answer.has_access), (Some(Amount::ZERO), false));
    assert_eq!(answer.reason, Reason::Exhausted);
    assert!(!gate.has_access(&Ask { used, ..ask("acme", "calls", now()) }));
    assert_eq!(answer.retry_at, Some(instant("2026-03-31T23:59:00.001Z")));
}

#[test]
fn usage_seen_here_counts_until_a_snapshot_includes_it() {
    let mut gate = loaded(&published("100"));
    for _ in 0..59 {
        assert!(gate.record("acme", "calls", Amount::from_units(1), now()));
    }
    assert!(gate.has_access(&ask("acme", "calls", now())));
    assert!(gate.record("acme@example.com", "calls", Amount::from_units(1), now()));
    assert!(!gate.has_access(&ask("acme", "calls", now())));
    assert!(!gate.record("acme", "sso", Amount::from_units(1), now()));
    assert!(!gate.record("nobody", "calls", Amount::from_units(1), now()));

    let earlier = now().plus_millis(-1);
    let stale_usage = Times { version: Some(now().millis() as u64 + 1), ..Times::at(earlier) };
    let (features, subjects) = facts("100");
    load(&mut gate, &publish(&features, &subjects, stale_usage).unwrap(), now()).unwrap();
    assert_eq!(gate.check(&ask("acme", "calls", now())).balance, Some(Amount::ZERO));

    let later = now().plus_millis(60_000);
    load(&mut gate, &published_at("100", later), later).unwrap();
    assert_eq!(gate.check(&ask("acme", "calls", later)).balance, Some(Amount::from_units(60)));
}

#[test]
fn a_snapshot_from_within_a_minute_includes_no_usage_after_it() {
    let mut gate = loaded(&published("100"));
    let at = |second: i64| now().plus_millis(30_000 + second * 1000);
    for second in 0..300 {
        gate.record("acme", "calls", Amount::parse("0.1").unwrap(), at(second));
    }
    assert_eq!(gate.check(&ask("acme", "calls", at(300))).balance, Some(Amount::from_units(30)));
    load(&mut gate, &published_at("100", at(270)), at(300)).unwrap();
    assert_eq!(gate.check(&ask("acme", "calls", at(300))).balance, Some(Amount::from_units(57)));
    assert!(gate.has_access(&Ask {
        amount: Some(Amount::from_units(57)),
        ..ask("acme", "calls", at(300))
    }));
}

/// Whether there is access, by both ways to tell.
fn access(gate: &Gate, ask: &Ask<'_>) -> [bool; 2] {
    [gate.has_access(ask), gate.check(ask).has_access]
}

#[test]
fn the_quick_answer_is_the_full_one_where_corrections_find_no_grant() {
    let ended = Grant {
        id: "ended".to_owned(),
        expires_at: Some(timestamp("2026-03-05T00:00:00Z")),
        ..calls("0", "40").grants.remove(0)
    };
    let mut corrected = calls("40", "40");
    corrected.grants.push(ended);
    let (features, _) = facts("40");
    let gate_of = |entitlement| {
        let subjects = [subject("acme", vec![entitlement])];
        loaded(&publish(&features, &subjects, Times::at(now())).unwrap())
    };
    let mut gate = gate_of(corrected.clone());
    let used = Some(Amount::from_units(-5));
    assert_eq!(access(&gate, &Ask { used, ..ask("acme", "calls", now()) }), [false, false]);
    gate.record("acme", "calls", Amount::from_units(-5), now());
    assert_eq!(access(&gate, &ask("acme", "calls", now())), [false, false]);

    let usage = corrected.usage.as_mut().unwrap();
    let correction =
        UsageEvent { at: timestamp("2026-03-06T00:00:00Z"), amount: Amount::from_units(-5) };
    usage.events.push(correction);
    assert_eq!(access(&gate_of(corrected), &ask("acme", "calls", now())), [false, false]);
}

#[test]
fn what_does_not_depend_on_a_figure_does_not_lapse_with_it() {
    let mut entitlement = calls("100", "40");
    entitlement.unlimited = true;
    entitlement.usage = Some(Usage {
        kind: UsageKind::Value,
        events: Vec::new(),
        amount: Some(Amount::from_units(40)),
        balance: Some(Amount::from_units(60)),
        overage: Some(Amount::ZERO),
        as_of: None,
    });
    let features = [feature("calls", WhenExpired::Closed)];
    let subjects = [subject("acme", vec![entitlement])];
    let gate = loaded(&publish(&features, &subjects, Times::at(now())).unwrap());
    let at = Some(instant("2026-04-02T00:00:00Z"));
    assert_eq!(access(&gate, &Ask { at, ..ask("acme", "calls", now()) }), [true, true]);
}

#[test]
fn explanations_tell_the_balances_of_the_answer_however_long_the_way() {
    let mut entitlement = calls("100", "40");
    entitlement.usage_period = None;
    entitlement.grants[0].recurrence = Some(Recurrence {
        interval: Interval::parse("PT1H").unwrap(),
        anchor: timestamp("2026-03-01T00:00:00Z"),
    });
    entitlement.grants.push(Grant {
        id: "later".to_owned(),
        amount: Amount::from_units(7),
        effective_at: timestamp("2027-01-01T00:00:00Z"),
        recurrence: None,
        ..entitlement.grants[0].clone()
    });
    let (features, _) = facts("100");
    let subjects = [subject("acme", vec![entitlement])];
    let gate = loaded(&publish(&features, &subjects, Times::at(now())).unwrap());
    let at = Some(instant("2027-02-01T00:00:00Z"));
    let explained = gate.explain(&Ask { at, ..ask("acme", "calls", now()) });
    let derivation = explained.explanation.unwrap();
    let told: Amount = derivation.grants.iter().map(|grant| grant.balance).sum();
    assert_eq!(explained.answer.balance, Some(Amount::from_units(107)));
    assert_eq!(Some(told), explained.answer.balance);
    assert!(derivation.truncated);
}

#[test]
fn publishing_what_has_not_changed_costs_only_the_head() {
    let mut gate = loaded(&published("100"));
    gate.record("acme", "calls", Amount::from_units(1), now());
    let later = now().plus_millis(HOUR);
    let next = published_at("100", later);
    assert_eq!(next.pack, published("100").pack);
    let offer = gate.offer(&next.head, Clock::At(later), Origin::Network);
    assert_eq!(offer, Ok(Offer::Unchanged));
    let answer = gate.check(&ask("acme", "calls", later));
    assert_eq!(answer.version, Some(later.millis() as u64));
    assert_eq!((answer.stale, answer.balance), (false, Some(Amount::from_units(60))));
}

#[test]
fn usage_seen_at_a_whole_minute_counts_at_once() {
    let mut gate = loaded(&published("100"));
    let minute = instant("2026-03-10T13:00:00Z");
    assert!(gate.record("acme", "calls", Amount::from_units(60), minute));
    assert!(!gate.has_access(&ask("acme", "calls", minute)));
    assert_eq!(gate.check(&ask("acme", "calls", minute)).balance, Some(Amount::ZERO));
    assert!(gate.has_access(&ask("acme", "calls", minute.plus_millis(-1))));
}

#[test]
fn fault_T11_a_grant_expires_without_a_new_snapshot() {
    let mut entitlement = calls("100", "40");
    entitlement.grants[0].expires_at = Some(timestamp("2026-03-10T13:00:00Z"));
    let (features, _) = facts("100");
    let subjects = [subject("acme", vec![entitlement])];
    let gate = loaded(&publish(&features, &subjects, Times::at(now())).unwrap());
    let until = gate.check(&ask("acme", "calls", now())).until.unwrap();
    assert_eq!(until, instant("2026-03-10T12:59:00.001Z"));
    assert_eq!(access(&gate, &ask("acme", "calls", until.plus_millis(-1))), [true, true]);
    assert_eq!(access(&gate, &ask("acme", "calls", until)), [false, false]);
}

#[test]
fn fault_T16_a_reset_passes_without_a_new_snapshot() {
    let mut gate = loaded(&published("100"));
    gate.record("acme", "calls", Amount::from_units(60), now());
    let at = Some(instant("2026-04-01T00:00:00Z"));
    let answer = gate.check(&Ask { at, ..ask("acme", "calls", now()) });
    assert_eq!(answer.balance, Some(Amount::from_units(100)));
    assert_eq!(answer.usage, Some(Amount::ZERO));
    assert_eq!(answer.period.unwrap().to, Some(instant("2026-05-01T00:00:00Z")));
}

#[test]
fn the_ladder_of_age() {
    let gate = loaded(&published("100"));
    let check = |feature, millis| gate.check(&ask("acme", feature, now().plus_millis(millis)));
    assert!(!check("calls", 119_999).stale);
    assert!(check("calls", 120_000).stale && check("calls", 120_000).has_access);
    assert_eq!(check("sso", 24 * HOUR - 1).reason, Reason::Boolean);
    assert_eq!(check("calls", 24 * HOUR).reason, Reason::LastKnown);
    assert_eq!(check("sso", 24 * HOUR).reason, Reason::ExpiredSnapshot);
    assert_eq!(check("plan", 24 * HOUR).reason, Reason::OpenPolicy);
    assert_eq!(check("unused", 24 * HOUR).reason, Reason::NotEntitled);
    for feature in ["calls", "sso", "plan"] {
        assert_eq!(check(feature, 7 * 24 * HOUR).reason, Reason::DeadSnapshot);
    }
    assert_eq!(check("sso", 0).until, Some(now().plus_millis(24 * HOUR)));
    let backwards = check("calls", -365 * 24 * HOUR);
    assert_eq!((backwards.age_millis, backwards.has_access), (Some(0), true));
    let untrusted = gate.check(&Ask { clock: Clock::Untrusted, ..ask("acme", "calls", now()) });
    assert!(untrusted.stale && !untrusted.clock_trusted && untrusted.has_access);
}

#[test]
fn refused_heads_leave_the_old_snapshot_serving() {
    let first = published("100");
    let mut gate = loaded(&first);
    let code =
        |gate: &mut Gate, published: &Published, at| load(gate, published, at).unwrap_err().code();
    let older = published_at("999", now().plus_millis(-1));
    assert_eq!(code(&mut gate, &older, now()), "head-rollback");
    assert_eq!(code(&mut gate, &published("999"), now()), "head-equivocation");
    let future = published_at("999", now().plus_millis(25 * HOUR));
    assert_eq!(code(&mut gate, &future, now()), "head-from-future");
    assert_eq!(code(&mut gate, &future, now().plus_millis(49 * HOUR)), "head-expired");
    let later = published_at("999", now().plus_millis(1));
    let swapped = Published { pack: first.pack.clone(), ..later.clone() };
    assert_eq!(gate.offer(&later.head, Clock::At(now()), Origin::Network).map(|_| ()), Ok(()));
    assert_eq!(gate.accept(swapped.pack).unwrap_err().code(), "snapshot-digest");
    assert_eq!(gate.accept(later.pack.clone()).unwrap_err().code(), "not-offered");
    assert_eq!(gate.check(&ask("acme", "calls", now())).balance, Some(Amount::from_units(60)));
    load(&mut gate, &later, now()).unwrap();
    assert_eq!(gate.check(&ask("acme", "calls", now())).balance, Some(Amount::from_units(959)));
}

#[test]
fn a_bad_page_of_the_first_body_is_fetched_again() {
    let (features, mut subjects) = facts("100");
    let sso = Entitlement::new("sso", EntitlementType::Boolean);
    subjects.extend((0..500).map(|number| subject(&format!("c{number}"), vec![sso.clone()])));
    let published = publish(&features, &subjects, Times::at(now())).unwrap();
    let mut bad = published.clone();
    let last = bad.pack.len() - 1;
    bad.pack[last] ^= 1;
    let mut gate = new_gate();
    load(&mut gate, &bad, now()).unwrap();
    let invalid = |gate: &Gate| {
        let asked = subjects.iter().map(|subject| ask(&subject.subject, "sso", now()));
        asked.filter(|ask| gate.check(ask).reason == Reason::PageInvalid).count()
    };
    assert!((1..subjects.len()).contains(&invalid(&gate)) && gate.is_damaged());
    load(&mut gate, &published, now()).unwrap();
    assert!(invalid(&gate) == 0 && !gate.is_damaged());
}

#[test]
fn time_never_runs_back_behind_a_signature() {
    let mut gate = loaded(&published("100"));
    let earlier = Times { version: Some(u64::MAX >> 12), ..Times::at(now().plus_millis(-HOUR)) };
    let (features, subjects) = facts("200");
    load(&mut gate, &publish(&features, &subjects, earlier).unwrap(), now()).unwrap();
    let answer = gate.check(&ask("acme", "calls", now().plus_millis(-2 * HOUR)));
    assert_eq!((answer.age_millis, answer.stale), (Some(HOUR), true));
}

/// Offers a changed head, or its body with the right head, to a gate that has a snapshot.
fn offer_changed(gate: &mut Gate, head: &[u8], pack: &[u8], at: Instant) -> Result<(), Error> {
    match gate.offer(head, Clock::At(at), Origin::Network)? {
        Offer::Unchanged => Ok(()),
        Offer::Body { .. } => gate.accept(pack),
    }
}

#[test]
fn every_bit_and_every_length_is_refused() {
    let mut gate = loaded(&published("100"));
    let at = now().plus_millis(60_000);
    let next = published_at("500", at);
    let answers = |gate: &Gate| {
        let of = |subject| gate.entitlements(subject, Clock::At(at), None).unwrap();
        (of("acme"), of("acme@example.com"), of("empty"))
    };
    let (mut tried, before) = (0, answers(&gate));
    let mut fresh = new_gate();
    load(&mut fresh, &next, at).unwrap();
    let after = answers(&fresh);
    let mut accepted = 0;
    for file in [&next.head, &next.pack] {
        let is_head = std::ptr::eq(file, &next.head);
        let changed = (0..file.len() * 8).map(|bit| {
            let mut bytes = file.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        let cut = (0..file.len()).map(|length| file[..length].to_vec());
        for bytes in changed.chain(cut) {
            let (head, pack) = if is_head { (&bytes, &next.pack) } else { (&next.head, &bytes) };
            match offer_changed(&mut gate, head, pack, at) {
                Err(error) => assert!(!error.code().is_empty()),
                // The catalogue is the old one, so that nobody looks at what the pack has for it.
                Ok(()) => {
                    assert!(!is_head && answers(&gate) == after);
                    gate = loaded(&published("100"));
                    accepted += 1;
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 5_000, "{tried} changes");
    assert_eq!(accepted, next.parts.catalogue.bytes.len() * 8);
    assert_eq!(answers(&gate), before);
    load(&mut gate, &next, at).unwrap();
    assert_eq!(gate.check(&ask("acme", "calls", at)).balance, Some(Amount::from_units(460)));
}

#[test]
fn an_answer_holds_only_until_usage_begins_to_count_that_is_dated_later() {
    for dated in [now().plus_millis(600_000), now().plus_millis(630_500)] {
        let mut gate = loaded(&published("100"));
        assert!(gate.record("acme", "calls", Amount::from_units(60), dated));
        let answer = gate.check(&ask("acme", "calls", now()));
        assert_eq!((answer.has_access, answer.balance), (true, Some(Amount::from_units(60))));
        let until = answer.until.unwrap();
        assert_eq!(until, dated.floor_minute());
        assert_eq!(access(&gate, &ask("acme", "calls", until.plus_millis(-1))), [true; 2]);
        assert_eq!(access(&gate, &ask("acme", "calls", until)), [false; 2]);
    }
}

#[test]
fn a_feature_is_found_by_its_number_and_by_its_key_alike() {
    let gate = loaded(&published("100"));
    for (subject, feature) in [("acme", "calls"), ("acme", "sso"), ("acme", "what"), ("", "calls")]
    {
        let ask = ask(subject, feature, now());
        let number = gate.feature_number(feature);
        assert_eq!(number == FeatureNumber::NONE, feature == "what");
        let (name, options) = (subject.as_bytes(), ask.options());
        assert_eq!(gate.check_by_number(name, number, &options).owned(), gate.check(&ask));
        assert_eq!(gate.has_access_by_number(name, number, &options), gate.has_access(&ask));
    }
    assert!(!gate.has_access_by_number(b"\xff", FeatureNumber(0), &ask("", "", now()).options()));
}
