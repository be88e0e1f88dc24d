//! What changes between two publishes: nothing but what has to.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::collections::BTreeSet;

use edgegrant::amount::Amount;
use edgegrant::engine::program::{Rule, Usage};
use edgegrant::snapshot::{
    Digest, Encoded, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, WhenExpired, encode,
};
use snapshot_support::{
    Own, bulky_subjects, features, plain, planned_subjects, settings, usage_as_of,
};

fn digests(parts: &[edgegrant::snapshot::Part]) -> BTreeSet<Digest> {
    parts.iter().map(|part| part.digest).collect()
}

/// How many pages, nodes and catalogues of `new` are not among those of `old`.
fn changed(old: &Encoded, new: &Encoded) -> [usize; 3] {
    [
        digests(&new.pages).difference(&digests(&old.pages)).count(),
        digests(&new.nodes).difference(&digests(&old.nodes)).count(),
        usize::from(old.catalogue.digest != new.catalogue.digest),
    ]
}

fn publish(old: &Encoded, subjects: Vec<SubjectRecord>) -> Encoded {
    let previous_page_bits = Some(old.page_bits);
    encode(&Settings { previous_page_bits, ..settings() }, &features(12), subjects).unwrap()
}

fn first() -> (Encoded, Vec<SubjectRecord>) {
    let subjects = bulky_subjects(2_500);
    let encoded = encode(&settings(), &features(12), subjects.clone()).unwrap();
    assert!(encoded.page_bits > 8, "two levels of nodes");
    (encoded, subjects)
}

#[test]
fn one_changed_customer_changes_one_page_and_the_nodes_above_it() {
    let (old, mut subjects) = first();
    assert_eq!(changed(&old, &publish(&old, subjects.clone())), [0, 0, 0]);

    let Rule::Metered(metered) = &mut subjects[777].entitlements[0].program.rule else {
        panic!("the first feature is metered")
    };
    metered.usage = Usage::Flow { since_opening: Amount::from_units(5) };
    assert_eq!(changed(&old, &publish(&old, subjects.clone())), [1, 2, 0]);

    // Another feature for one customer, of a kind that nobody had: the catalogue counts it.
    subjects[777].entitlements.push(EntitlementRecord {
        feature: "feature_11".to_owned(),
        program: plain(Rule::Static),
        config: Some("{\"new\":true}".to_owned()),
        grant_ids: Vec::new(),
        steady: None,
    });
    assert_eq!(changed(&old, &publish(&old, subjects)), [1, 2, 1]);
}

#[test]
fn a_declared_feature_changes_no_page() {
    let (old, subjects) = first();
    let mut features = features(12);
    features.push(FeatureRecord {
        key: "a_new_one".to_owned(),
        unit: None,
        when_expired: WhenExpired::Closed,
    });
    let previous_page_bits = Some(old.page_bits);
    let new = encode(&Settings { previous_page_bits, ..settings() }, &features, subjects).unwrap();
    assert_eq!(changed(&old, &new), [0, 0, 1]);
}

#[test]
fn usage_that_is_known_until_later_changes_no_page() {
    let (old, mut subjects) = first();
    let later = usage_as_of().plus_millis(3_600_000);
    for entitlement in subjects.iter_mut().flat_map(|subject| &mut subject.entitlements) {
        if let Rule::Metered(metered) = &mut entitlement.program.rule {
            metered.usage_as_of = later;
        }
    }
    let previous_page_bits = Some(old.page_bits);
    let settings = Settings { previous_page_bits, usage_as_of: later, ..settings() };
    assert_eq!(changed(&old, &encode(&settings, &features(12), subjects).unwrap()), [0, 0, 0]);
}

#[test]
fn the_number_of_pages_changes_late() {
    let bits = |count: usize, previous_page_bits: Option<u8>| {
        let settings = Settings { previous_page_bits, ..settings() };
        let subjects = planned_subjects(count, Own::Usage);
        encode(&settings, &features(10), subjects).unwrap().page_bits
    };
    let first = bits(500, None);
    assert_eq!(bits(500, Some(first)), first);
    assert_eq!(bits(750, Some(first)), first);
    assert_eq!(bits(350, Some(first)), first);
    assert!(bits(3_000, Some(first)) > first);
    assert!(bits(50, Some(first)) < first);
}
