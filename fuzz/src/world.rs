//! The snapshots that inputs start from.

use std::sync::LazyLock;

use edgegrant::snapshot::{Encoded, FeatureRecord, SubjectRecord, encode};

use crate::support::random::Random;
use crate::support::{Own, features, planned_subjects, settings};

/// A snapshot and what it was made of.
pub(crate) struct World {
    pub(crate) features: Vec<FeatureRecord>,
    pub(crate) subjects: Vec<SubjectRecord>,
    pub(crate) encoded: Encoded,
}

impl World {
    fn new(features: Vec<FeatureRecord>, subjects: Vec<SubjectRecord>) -> Self {
        let encoded = encode(&settings(), &features, subjects.clone()).unwrap();
        Self { features, subjects, encoded }
    }
}

/// One page with every kind of entitlement.
pub(crate) static SMALL: LazyLock<World> = LazyLock::new(|| {
    let features = features(4);
    let random = &mut Random(11);
    let subjects = (0..4).map(|number| random.subject(number, &features)).collect();
    let world = World::new(features, subjects);
    assert_eq!(world.encoded.page_bits, 0);
    world
});

/// One page of regular customers.
pub(crate) static PLANNED: LazyLock<World> = LazyLock::new(|| {
    let world = World::new(features(10), planned_subjects(6, Own::Anchors));
    assert_eq!(world.encoded.page_bits, 0);
    world
});

/// A few pages under a node.
pub(crate) static PAGED: LazyLock<World> = LazyLock::new(|| {
    let features = features(4);
    let random = &mut Random(12);
    let subjects = (0..24).map(|number| random.subject(number, &features)).collect();
    let world = World::new(features, subjects);
    assert!(world.encoded.page_bits > 0);
    world
});

/// The same a publish later: a customer has another's entitlements, and one more alias.
pub(crate) static LATER: LazyLock<World> = LazyLock::new(|| {
    let mut subjects = PAGED.subjects.clone();
    let entitlements = subjects[7].entitlements.clone();
    subjects[5].entitlements = entitlements;
    subjects[9].aliases.push("as it is called now".to_owned());
    let world = World::new(features(4), subjects);
    assert_eq!(world.encoded.page_bits, PAGED.encoded.page_bits);
    world
});
