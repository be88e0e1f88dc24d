//! The worked answers, and what becomes of each recorded answer.

use std::fs;
use std::path::Path;

use edgegrant::gate::{Expression, Reason};
use edgegrant_origin::sources::alert_logic::{Options, import};
use serde_json::Value;

use super::{options, strict};
use crate::kit::{Imported, at, recorded};

fn worked(file: &str) -> Option<Imported> {
    worked_with(file, &options())
}

fn worked_with(file: &str, options: &Options) -> Option<Imported> {
    let answers = recorded("alertlogic", &[file])?.unwrap();
    Some(Imported::new(|notes| import(&answers, options, notes)))
}

const EDGE_CASES: &str = "20-generated-edge-cases.json";

#[test]
fn worked_alertlogic_09_access() {
    let Some(import) = worked("09-odd-statuses-account2.json") else { return };
    let gate = import.gate();
    let families = ["apollo", "calliope", "demeter", "zeus", "al_internal_user", "doesntExist"];
    let access = families.map(|family| gate.check("2", family).has_access);
    assert_eq!(access, [true, true, false, false, true, false]);
}

/// What the vendor's own test asserts of its expressions.
#[test]
fn worked_alertlogic_09_expressions() {
    let Some(import) = worked("09-odd-statuses-account2.json") else { return };
    let file = "../../../shared/sources/fixtures/alertlogic/10-vendor-expected-decisions.json";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let asserted: Value = serde_json::from_str(&text).unwrap();
    let gate = import.gate();
    let expressions = asserted["expressions"].as_object().unwrap();
    assert_eq!(expressions.len(), 10);
    for (text, expected) in expressions {
        let expression = Expression::parse(text).unwrap();
        let holds = expression.holds(|feature| gate.check("2", feature).has_access);
        assert_eq!(holds, expected.as_bool().unwrap(), "{text}");
    }
}

#[test]
fn worked_alertlogic_01_threat_manager() {
    let Some(import) = worked("01-entitlements-list.json") else { return };
    let answer = import.gate().check("01000001", "threat_manager");
    assert_eq!((answer.reason, answer.until), (Reason::Boolean, None));
    let attributes = &import.entitlement("01000001", "threat_manager").attributes;
    assert_eq!(attributes["flag"], "past-end-at-import");
    let strict = worked_with("01-entitlements-list.json", &strict()).unwrap();
    let answer = strict.gate().check("01000001", "threat_manager");
    assert_eq!(answer.reason, Reason::Ended);
}

#[test]
fn worked_alertlogic_01_log_data_retention() {
    let Some(import) = worked("01-entitlements-list.json") else { return };
    let answer = import.gate().check("01000001", "log_data_retention");
    assert_eq!(answer.config.as_deref(), Some(r#"{"value":12,"value_type":"months"}"#));
}

#[test]
fn worked_alertlogic_20_detect_and_assess() {
    let Some(import) = worked(EDGE_CASES) else { return };
    let gate = import.gate();
    for family in ["detect", "assess"] {
        let answer = gate.check("01000002", family);
        assert_eq!((answer.reason, answer.until), (Reason::Boolean, None));
    }
}

#[test]
fn worked_alertlogic_20_respond() {
    let Some(import) = worked(EDGE_CASES) else { return };
    // The worked answer says "canceled"; a status that denies has one reason here.
    assert_eq!(import.gate().check("01000002", "respond").reason, Reason::Suspended);
    let attributes = &import.entitlement("01000002", "respond").attributes;
    assert_eq!(attributes["status"], "canceled");
}

#[test]
fn worked_alertlogic_20_log_manager() {
    let Some(import) = worked(EDGE_CASES) else { return };
    assert!(import.gate().check("01000002", "log_manager").has_access);
    let attributes = &import.entitlement("01000002", "log_manager").attributes;
    assert_eq!(attributes["flag"], "past-end-at-import");
    let strict = worked_with(EDGE_CASES, &strict()).unwrap();
    assert_eq!(strict.gate().check("01000002", "log_manager").reason, Reason::Ended);
}

#[test]
fn worked_alertlogic_20_fortra_xdr() {
    let Some(import) = worked(EDGE_CASES) else { return };
    let answer = import.gate().check("01000002", "fortra_xdr");
    assert_eq!((answer.has_access, answer.reason), (false, Reason::NotYet));
    assert_eq!(answer.until, Some(at("2030-03-17T17:46:40Z")));
}

#[test]
fn worked_alertlogic_20_log_data_retention() {
    let Some(import) = worked(EDGE_CASES) else { return };
    let answer = import.gate().check("01000002", "log_data_retention");
    assert_eq!(answer.config.as_deref(), Some(r#"{"value":12,"value_type":"months"}"#));
}

#[test]
fn worked_alertlogic_20_threat_manager_and_active_watch() {
    let Some(import) = worked(EDGE_CASES) else { return };
    let gate = import.gate();
    for family in ["threat_manager", "active_watch"] {
        let answer = gate.check("01000002", family);
        assert!(answer.has_access);
        assert_eq!(answer.until, Some(at("2031-01-01T00:00:00Z")));
    }
}

#[test]
fn worked_alertlogic_20_record_12() {
    let Some(import) = worked(EDGE_CASES) else { return };
    let notes = import.notes.all();
    let skipped = notes.iter().find(|note| note.code == "record-without-key").unwrap();
    assert!(skipped.record.ends_with("entitlement 12"), "{}", skipped.record);
    let keys: Vec<&str> =
        import.subject("01000002").entitlements.iter().map(|given| &*given.feature).collect();
    assert_eq!(keys.len(), 9 + 2, "{keys:?}");
}

#[test]
fn recorded_answers_are_imported_or_refused() {
    let import_of = |file: &str| {
        let answers = recorded("alertlogic", &[file])?.unwrap();
        let facts = import(&answers, &options(), &mut Default::default());
        let subjects = |facts: Vec<_>| {
            let is_subject =
                |fact: &&edgegrant::model::Fact| matches!(fact, edgegrant::model::Fact::Subject(_));
            facts.iter().filter(is_subject).count()
        };
        Some(facts.map(|facts| subjects(facts.collect())).map_err(|failure| failure.code))
    };
    let files = [
        ("01-entitlements-list.json", Ok(1)),
        ("02-entitlements-empty.json", Ok(1)),
        ("03-account-ids.json", Err("answer-unknown")),
        ("04-account-ids-empty.json", Err("answer-unknown")),
        ("05-subscription-single.json", Ok(1)),
        ("06-subscriptions-list.json", Ok(1)),
        ("07-subscriptions-empty.json", Ok(0)),
        ("08-entitlements-list-2020.json", Ok(1)),
        ("09-odd-statuses-account2.json", Ok(1)),
        ("10-vendor-expected-decisions.json", Err("answer-unknown")),
        ("11-create-subscription-request.json", Err("answer-unknown")),
        ("12-aws-subscription-link-request.json", Err("answer-unknown")),
        ("20-generated-edge-cases.json", Ok(1)),
        ("21-generated-legacy-only.json", Ok(1)),
    ];
    for (file, expected) in files {
        let Some(outcome) = import_of(file) else { return };
        assert_eq!(outcome, expected.map_err(str::to_owned), "{file}");
    }
}
