//! What is encoded is read again, field by field.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod snapshot_support;

use edgegrant::engine::program::{Program, Rule};
use edgegrant::snapshot::{
    Body, EntitlementRecord, FeatureRecord, OutlineRule, Settings, SubjectRecord, encode,
};
use snapshot_support::random::Random;
use snapshot_support::{features, plain, settings, usage_as_of};

fn by_feature(mut record: SubjectRecord) -> SubjectRecord {
    record.entitlements.sort_by(|one, other| one.feature.cmp(&other.feature));
    record
}

/// A number that `cargo xtask test --properties N --seed S` sets.
fn given(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// Snapshots of 200 subjects in the mean, as many as it takes for the subjects that were asked for.
#[test]
fn random_subjects_are_read_as_they_were_written() {
    let first = given("EDGEGRANT_SEED").unwrap_or(0);
    let snapshots = given("EDGEGRANT_PROPERTIES").unwrap_or(2_400).div_ceil(200);
    for seed in first..first + snapshots {
        let random = &mut Random(seed);
        let features = features(1 + random.below(12) as usize);
        let count = random.below(400) as usize;
        let subjects: Vec<_> = (0..count).map(|n| random.subject(n, &features)).collect();
        let encoded = encode(&settings(), &features, subjects.clone()).unwrap();
        let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
        body.verify().unwrap();
        assert_eq!(body.subjects().count(), subjects.len());
        let mut program = plain(Rule::Boolean);
        for subject in subjects {
            for alias in &subject.aliases {
                let found = body.subject(alias).unwrap().unwrap();
                assert_eq!(found.id(), subject.id);
            }
            let found = body.subject(&subject.id).unwrap().unwrap();
            assert_eq!(body.subject_at(found.place()).unwrap().unwrap().id(), subject.id);
            for entitlement in &subject.entitlements {
                let feature = body.catalogue().feature(&entitlement.feature).unwrap();
                let entry = found.entry(&feature).unwrap();
                entry.program_into(&mut program).unwrap();
                assert_eq!(program, entitlement.program, "seed {seed}");
                assert_eq!(entry.steady().unwrap(), entitlement.steady);
                assert_outline(&entry.outline().unwrap(), &program);
            }
            let expected = by_feature(SubjectRecord { aliases: Vec::new(), ..subject });
            assert_eq!(by_feature(found.to_record().unwrap()), expected, "seed {seed}");
        }
    }
}

fn assert_outline(outline: &edgegrant::snapshot::Outline, program: &Program) {
    assert_eq!(outline.suspended, program.suspended);
    assert_eq!(outline.active_from, program.active_from);
    assert_eq!(outline.active_to, program.active_to);
    assert_eq!(outline.grace_until, program.grace_until);
    match (&outline.rule, &program.rule) {
        (OutlineRule::Boolean, Rule::Boolean) | (OutlineRule::Static, Rule::Static) => (),
        (OutlineRule::Metered(outline), Rule::Metered(metered)) => {
            assert_eq!(outline.unlimited, metered.unlimited);
            assert_eq!(outline.soft_limit, metered.soft_limit);
            assert_eq!(outline.usage, metered.usage);
            assert_eq!(outline.usage_as_of, metered.usage_as_of);
            assert_eq!(outline.opening_at, metered.opening.at);
            assert_eq!(outline.preserve_overage, metered.timeline.preserve_overage);
        }
        _ => panic!("the outline has another rule than the program"),
    }
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let random = &mut Random(99);
    let features = features(8);
    let mut subjects: Vec<_> = (0..300).map(|n| random.subject(n, &features)).collect();
    let one = encode(&settings(), &features, subjects.clone()).unwrap();
    subjects.reverse();
    subjects.iter_mut().for_each(|subject| subject.entitlements.reverse());
    let other = encode(&settings(), &features.into_iter().rev().collect::<Vec<_>>(), subjects);
    assert!(one == other.unwrap());
}

#[test]
fn absence_is_an_answer() {
    let random = &mut Random(5);
    let subjects = (0..50).map(|n| random.subject(n, &features(3))).collect();
    let encoded = encode(&settings(), &features(3), subjects).unwrap();
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    for id in ["", "__proto__", "subject-1", "subject-1\0e\u{301}", &"x".repeat(10_000)] {
        assert!(body.subject(id).unwrap().is_none(), "{id:?}");
        assert!(body.catalogue().feature(id).is_none(), "{id:?}");
    }
}

#[test]
fn no_subject_and_no_feature_is_a_snapshot_too() {
    let encoded = encode(&settings(), &[], Vec::new()).unwrap();
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    body.verify().unwrap();
    assert!(body.subject("anyone").unwrap().is_none());
}

#[test]
fn pages_that_overflow_are_split() {
    // A tenant that grew from one subject to many, and a few subjects too large for one page.
    let grown = (0..20_000).map(|n| configured(n, 100)).collect();
    let large = (0..12).map(|n| configured(n, 60_000)).collect();
    for (previous_page_bits, subjects) in [(Some(0), grown), (Some(0), large)] {
        let settings = Settings { previous_page_bits, ..settings() };
        let encoded = encode(&settings, &features(4), subjects).unwrap();
        let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
        body.verify().unwrap();
        let again = Settings { previous_page_bits: Some(encoded.page_bits), ..settings };
        let records = body.subjects().map(|subject| subject.unwrap().to_record().unwrap());
        assert!(encode(&again, &features(4), records.collect()).unwrap() == encoded, "it stays");
    }
}

fn configured(number: usize, length: usize) -> SubjectRecord {
    let entitlement = |feature: FeatureRecord| EntitlementRecord {
        config: Some(format!("\"{}{number}\"", "x".repeat(length))),
        feature: feature.key,
        program: plain(Rule::Static),
        grant_ids: Vec::new(),
        steady: None,
    };
    let entitlements = features(4).into_iter().map(entitlement).collect();
    SubjectRecord { id: format!("subject-{number}"), aliases: Vec::new(), entitlements }
}
