//! What a gate that holds only some pages says of those who are elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use edgegrant::Amount;
use edgegrant::engine::WindowSize;
use edgegrant::gate::{Clock, Gate, Reason};
use edgegrant::snapshot::encode;
use snapshot_support::paged::Paged;
use snapshot_support::signed::{HOUR, ask, key, options};
use snapshot_support::{Own, features, planned_subjects, settings, usage_as_of};

const FEATURE: &str = "feature_0";

/// The codes with which the calls are refused that give no decision.
fn refusals(gate: &Gate, id: &str) -> [Option<&'static str>; 4] {
    let now = usage_as_of();
    let ask = ask(id, FEATURE, now);
    let history = gate.history(&ask, now, now.plus_millis(HOUR), WindowSize::Hour);
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
