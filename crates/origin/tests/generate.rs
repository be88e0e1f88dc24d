//! Generated data is what it says: the same for the same seed, sound, and consistent with itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::fs;

use edgegrant::Instant;
use edgegrant::engine::{self, Question};
use edgegrant::model::{Entitlement, EntitlementType, Fact, Status, UsageKind};
use edgegrant_origin::facts::{Checker, Entry};
use edgegrant_origin::generate::{Export, Facts, GrantIds, facts, write_export};
use edgegrant_origin::sources::{Notes, openmeter};

fn at() -> Instant {
    Instant::parse("2026-11-20T12:34:00Z").unwrap()
}

fn text(options: Facts) -> String {
    let lines = facts(options).unwrap().map(|fact| serde_json::to_string(&fact).unwrap() + "\n");
    lines.collect()
}

#[test]
fn facts_are_sound_and_chosen_by_the_seed() {
    for grant_ids in [GrantIds::Derived, GrantIds::Ulid] {
        let options = Facts { subjects: 50, seed: 7, at: at(), grant_ids };
        assert_eq!(text(options), text(options));
        assert_ne!(text(options), text(Facts { seed: 8, ..options }));
        assert!(text(Facts { subjects: 51, ..options }).starts_with(&text(options)));
        let mut checker = Checker::default();
        let (mut features, mut entitlements) = (0, 0);
        for fact in facts(options).unwrap() {
            checker.check(&fact).unwrap();
            match Entry::new(fact, at()).unwrap() {
                Entry::Feature(_) => features += 1,
                Entry::Subject(subject) => entitlements += subject.entitlements.len(),
            }
        }
        assert_eq!((features, entitlements), (10, 500));
    }
}

#[test]
fn some_subjects_have_used_up_what_they_have() {
    let options = Facts { subjects: 1000, seed: 1, at: at(), grant_ids: GrantIds::Derived };
    let (mut with, mut without) = (0, 0);
    for fact in facts(options).unwrap() {
        let Entry::Subject(subject) = Entry::new(fact, at()).unwrap() else { continue };
        for entitlement in subject.entitlements {
            let access = engine::decide(&entitlement.program, &Question::at(at())).has_access;
            *(if access { &mut with } else { &mut without }) += 1;
        }
    }
    assert_eq!(with + without, 10_000);
    assert!((300..500).contains(&without), "{without}");
}

/// The metered entitlements of an export's facts, by their ids.
fn metered(facts: &[Fact]) -> Vec<&Entitlement> {
    let mut found = Vec::new();
    for fact in facts {
        if let Fact::Subject(subject) = fact {
            let metered = |given: &&Entitlement| given.kind == EntitlementType::Metered;
            found.extend(subject.entitlements.iter().filter(metered));
        }
    }
    found
}

/// Imports an export, with its values or without.
fn imported(folder: &std::path::Path) -> (Vec<Fact>, Notes) {
    let mut notes = Notes::default();
    let options = openmeter::Options { at: at(), trust_units: false };
    let paths = [folder.to_owned()];
    let facts = openmeter::import(&paths, &options, &mut notes).unwrap().collect();
    (facts, notes)
}

#[test]
fn an_export_is_imported_to_the_same_answers_as_its_values() {
    let folder = tempfile::tempdir().unwrap();
    write_export(&Export { customers: 200, seed: 3, at: at() }, folder.path()).unwrap();
    let (facts, notes) = imported(folder.path());
    assert_eq!(notes.all(), []);
    let mut checker = Checker::default();
    facts.iter().for_each(|fact| checker.check(fact).unwrap());

    let values = fs::read_to_string(folder.path().join("values.ndjson")).unwrap();
    let values: Vec<serde_json::Value> =
        values.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let metered = metered(&facts);
    assert_eq!(values.len(), metered.len());
    let mut kinds = BTreeSet::new();
    for answer in &values {
        let number = |name: &str| answer.pointer(&format!("/value/{name}")).unwrap().as_f64();
        let id = answer.pointer("/entitlementId").unwrap().as_str().unwrap();
        let source = |given: &&&Entitlement| given.source.as_ref().unwrap().id == id;
        let entitlement = metered.iter().find(source).unwrap();
        assert_eq!(entitlement.usage.as_ref().unwrap().kind, UsageKind::Flow);
        let now = Instant::parse(answer.pointer("/time").unwrap().as_str().unwrap()).unwrap();
        // At the time of the value: without the usage that came after it.
        let mut before = Entitlement::clone(entitlement);
        before.usage = None;
        let before = engine::compile(&before, Status::Active, now).unwrap().program;
        let question = Question { now, amount: None, used: edgegrant::Amount::ZERO, extra: &[] };
        let decision = engine::decide(&before, &question);
        let numbers = decision.numbers.unwrap();
        assert_eq!(numbers.balance.map(|n| n.to_f64()), number("balance"), "{answer}");
        assert_eq!(numbers.usage.map(|n| n.to_f64()), number("usage"), "{answer}");
        assert_eq!(numbers.overage.map(|n| n.to_f64()), number("overage"), "{answer}");
        let total = number("totalAvailableGrantAmount");
        assert_eq!(numbers.total_available.map(|n| n.to_f64()), total, "{answer}");
        assert_eq!(
            Some(decision.has_access),
            answer.pointer("/value/hasAccess").unwrap().as_bool()
        );
        kinds.insert((decision.reason == engine::Reason::Exhausted, decision.has_access));
    }
    assert!(kinds.len() > 1, "some have access and some have none");
}

#[test]
fn resuming_from_values_agrees_with_the_whole_ledger() {
    let folder = tempfile::tempdir().unwrap();
    write_export(&Export { customers: 200, seed: 5, at: at() }, folder.path()).unwrap();
    let (resumed, _) = imported(folder.path());
    let whole = edgegrant_origin::generate::ledgers(&Export { customers: 200, seed: 5, at: at() });
    let whole = whole.unwrap();
    let resumed = metered(&resumed);
    assert_eq!(whole.len(), resumed.len());
    let mut compared = 0;
    for entitlement in &whole {
        let id = &entitlement.source.as_ref().unwrap().id;
        let same = |given: &&&Entitlement| given.source.as_ref().unwrap().id == *id;
        let other = resumed.iter().find(same).unwrap();
        for minutes in [0, 1, 26, 27, 1440, 43_200, 525_600] {
            let now = at().plus_millis(minutes * 60_000);
            let decide = |entitlement: &Entitlement| {
                let compiled = engine::compile(entitlement, Status::Active, at()).unwrap();
                let question =
                    Question { now, amount: None, used: edgegrant::Amount::ZERO, extra: &[] };
                engine::decide(&compiled.program, &question)
            };
            assert_eq!(decide(entitlement), decide(other), "{id} {now} {entitlement:?} {other:?}");
            compared += 1;
        }
    }
    assert!(compared > 3000);
}
