//! What a gate that holds only some pages says of those who are elsewhere, and remembers of them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::Amount;
use edgegrant::engine::WindowSize;
use edgegrant::engine::program::Rule;
use edgegrant::gate::{Ask, Clock, Gate, Offer, Reason};
use edgegrant::snapshot::{Body, Encoded, SubjectRecord, encode};
use edgegrant::time::Instant;
use snapshot_support::paged::Paged;
use snapshot_support::signed::{HOUR, ask, head, key, options};
use snapshot_support::{Own, features, planned, planned_subjects, settings, usage_as_of};

const FEATURE: &str = "feature_0";

/// The codes with which the calls are refused that give no decision.
fn refusals(gate: &Gate, id: &str) -> [Option<&'static str>; 4] {
    let now = usage_as_of();
    let ask = ask(id, FEATURE, now);
    let history = gate.history(&ask, now, Some(now.plus_millis(HOUR)), WindowSize::Hour);
    [
        gate.features(id).err(),
        gate.entitlements(id, Clock::At(now), None).err(),
        history.err(),
        gate.slice(id).err(),
    ]
    .map(|error| error.map(|error| error.code()))
}

#[test]
fn what_cannot_be_told_is_not_told_as_nothing() {
    let encoded = encode(&settings(), &features(10), planned_subjects(300, Own::Usage)).unwrap();
    let mut paged = Paged::new(&encoded, 1 << 20);
    let id = "customer-000007";
    assert_eq!(refusals(&paged.gate, id), [Some("not-resident"); 4]);
    let explained = paged.gate.explain(&ask(id, FEATURE, usage_as_of()));
    assert_eq!(explained.answer.reason, Reason::NotResident);
    assert!(!paged.gate.record(id, FEATURE, Amount::from_units(1), usage_as_of()));
    paged.reside(id);
    assert_eq!(refusals(&paged.gate, id), [None; 4]);
    assert_eq!(paged.gate.features(id).unwrap().len(), 10);
    // Of whom there is not, a page proves it.
    paged.reside("nobody");
    assert!(paged.gate.features("nobody").unwrap().is_empty());
    let unknown = Some("unknown-subject");
    assert_eq!(refusals(&paged.gate, "nobody"), [None, None, unknown, unknown]);
}

#[test]
fn before_the_first_snapshot_nothing_is_told_as_nothing() {
    let mut options = options(&[key(1)], 1);
    for open in [false, true] {
        options.dangerously_open_without_snapshot = open;
        assert_eq!(refusals(&Gate::new(options.clone()), "anybody"), [Some("no-snapshot"); 4]);
    }
}

/// Subjects with one metered entitlement, whose usage is known to the snapshot until an hour ago.
fn lagging(count: usize) -> Encoded {
    let lag = |number| {
        let mut subject: SubjectRecord = planned(number, Own::Usage);
        subject.entitlements.truncate(1);
        let Rule::Metered(metered) = &mut subject.entitlements[0].program.rule else { panic!() };
        metered.usage_as_of = usage_as_of().plus_millis(-HOUR);
        subject
    };
    encode(&settings(), &features(1), (0..count).map(lag).collect()).unwrap()
}

/// The ids of a body, neighbours of a page together.
fn by_page(encoded: &Encoded) -> Vec<String> {
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    body.subjects().map(|subject| subject.unwrap().id().to_owned()).collect()
}

#[test]
fn usage_of_those_who_are_away_is_remembered_up_to_a_number_of_subjects() {
    const SUBJECTS_MAX: usize = 65_536;
    let encoded = lagging(SUBJECTS_MAX + 1);
    let ids = by_page(&encoded);
    let [one, other, last] = [0, SUBJECTS_MAX / 2, SUBJECTS_MAX].map(|index| ids[index].as_str());
    // A page at a time.
    let mut paged = Paged::new(&encoded, 1);
    // The head counts this as included, an entitlement that lags does not.
    let earlier = usage_as_of().plus_millis(-HOUR / 2);
    ids[..SUBJECTS_MAX].iter().for_each(|id| record(&mut paged, id, earlier));
    record(&mut paged, other, usage_as_of());
    assert!(is_away(&paged, one) && !is_away(&paged, other));
    renew(&mut paged, &encoded, 2);
    assert_eq!([one, other].map(|id| seen(&mut paged, id)), [1, 2], "so many are remembered");

    // Whose usage turns out to be included when the page comes back is none of them.
    record(&mut paged, last, usage_as_of().plus_millis(-2 * HOUR));
    for id in [other, last, other] {
        paged.reside(id);
    }
    renew(&mut paged, &encoded, 3);
    assert_eq!(seen(&mut paged, one), 1, "as many as before are remembered");

    record(&mut paged, last, earlier);
    assert!(is_away(&paged, one) && is_away(&paged, other));
    renew(&mut paged, &encoded, 4);
    // Beyond that, who is resident is looked at, and what no head includes counts on.
    assert_eq!([last, one, other].map(|id| seen(&mut paged, id)), [1, 0, 1]);
}

fn record(paged: &mut Paged<'_>, id: &str, at: Instant) {
    paged.reside(id);
    assert!(paged.gate.record(id, FEATURE, Amount::from_units(1), at));
}

/// A new head of the same body.
fn renew(paged: &mut Paged<'_>, encoded: &Encoded, version: u64) {
    assert_eq!(paged.offer(&head(encoded, version)), Offer::Unchanged);
}

fn is_away(paged: &Paged<'_>, id: &str) -> bool {
    paged.gate.check(&ask(id, FEATURE, usage_as_of())).reason == Reason::NotResident
}

/// How much of the usage recorded here an answer counts, in units.
fn seen(paged: &mut Paged<'_>, id: &str) -> i64 {
    paged.reside(id);
    let ask = ask(id, FEATURE, usage_as_of());
    let none = Ask { used: Some(Amount::ZERO), ..ask };
    let counted = paged.gate.usage(&ask).unwrap() - paged.gate.usage(&none).unwrap();
    counted.to_f64() as i64
}
