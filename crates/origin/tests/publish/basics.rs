//! What is written, what stays, and what is refused.

use std::fs;

use edgegrant::engine::Reason;
use edgegrant_origin::facts::{Checker, Facts, ReadError};
use edgegrant_origin::publish::{Options, publish};

use serde_json::json;

use crate::kit::{Origin, at, bulky, generated, key};

#[test]
fn what_is_published_can_be_verified_and_read() {
    let origin = Origin::new(&generated(300));
    let published = origin.publish("2026-11-20T12:00:10Z").unwrap();
    assert_eq!((published.subjects, published.entitlements), (300, 3000));
    assert_eq!(published.parts, origin.parts().len());
    let head = origin.head();
    assert_eq!(head.head().version, published.version);
    assert_eq!(head.head().usage_as_of, at("2026-11-20T12:00:00Z"));
    assert_eq!(head.head().stale_after, at("2026-11-20T12:02:10Z"));
    assert!(origin.body().subject("subject-300").unwrap().is_some());
    assert!(origin.body().subject("subject-301").unwrap().is_none());
}

#[test]
fn one_customer_more_changes_few_files() {
    let facts = generated(2000);
    let origin = Origin::new(&facts);
    let first = origin.publish("2026-11-20T12:00:10Z").unwrap();
    let before = origin.parts();
    // A later publishing of the same facts writes nothing but the head.
    let served = origin.served_but_the_head();
    let same = origin.publish("2026-11-20T12:30:10Z").unwrap();
    assert_eq!((same.new_parts, origin.parts()), (0, before.clone()));
    assert!(same.version > first.version);
    assert_eq!(origin.served_but_the_head(), served);

    origin.write(&facts.replace("\"subject-77\"", "\"subject-77\",\"status\":\"suspended\""));
    let changed = origin.publish("2026-11-20T12:31:00Z").unwrap();
    let new = origin.parts().difference(&before).count();
    assert_eq!(changed.new_parts, new);
    assert!(new <= 3, "its page and the nodes above, of {} parts: {new}", before.len());
    assert!(before.is_subset(&origin.parts()), "older heads still find what they name");
    assert!(origin.body().subject("subject-77").unwrap().is_some());
}

#[test]
fn versions_grow_whatever_the_clock_and_the_state_say() {
    let origin = Origin::new(&bulky(3));
    let now = "2026-11-20T12:00:10Z";
    let first = origin.publish(now).unwrap().version;
    assert_eq!(first, at(now).millis().unsigned_abs());
    assert_eq!(origin.publish("2026-11-20T11:00:00Z").unwrap().version, first + 1);
    fs::remove_file(origin.folder().state()).unwrap();
    assert_eq!(origin.publish("2026-11-20T11:00:00Z").unwrap().version, first + 2);
}

#[test]
fn refused_facts_leave_everything_as_it_was() {
    let origin = Origin::new("{\"subject\":\"a\"}\n{\"subject\":\"a\"}\n");
    let failure = origin.publish("2026-11-20T12:00:10Z").unwrap_err();
    assert_eq!(failure.code, "duplicate-subject");
    assert!(failure.message.contains("line 2: subject: "), "{}", failure.message);
    assert!(!origin.folder().path().exists());
}

#[test]
fn what_was_deleted_before_it_began_is_published_as_ended() {
    let origin = Origin::new(
        "{\"feature\":\"f\"}\n{\"subject\":\"s\",\"entitlements\":[{\"feature\":\"f\",\
         \"type\":\"boolean\",\"activeFrom\":\"2027-01-01T00:00:00Z\",\
         \"deletedAt\":\"2026-01-01T00:00:00Z\"}]}\n",
    );
    origin.publish("2026-11-20T12:00:10Z").unwrap();
    let body = origin.body();
    let feature = body.catalogue().feature("f").unwrap();
    let subject = body.subject("s").unwrap().unwrap();
    let program = subject.entry(&feature).unwrap().program().unwrap();
    for now in ["2026-11-20T12:00:10Z", "2027-06-01T00:00:00Z"] {
        assert_eq!(program.terms().closed_at(at(now)), Some(Reason::Ended));
    }
}

#[test]
fn a_sudden_loss_of_entitlements_must_be_meant() {
    let subjects = |entitlements: &str| -> String {
        let subject = |n| format!("{{\"subject\":\"s{n}\",\"entitlements\":[{entitlements}]}}\n");
        "{\"feature\":\"f\"}\n".to_owned() + &(0..10).map(subject).collect::<String>()
    };
    let origin = Origin::new(&subjects(r#"{"feature":"f","type":"boolean"}"#));
    origin.publish("2026-11-20T12:00:10Z").unwrap();
    origin.write(&subjects(""));
    assert_eq!(origin.publish("2026-11-20T12:01:00Z").unwrap_err().code, "snapshot-shrunk");
    let meant = Options { allow_shrink: true, ..origin.options("2026-11-20T12:02:00Z") };
    publish(&meant, &[key()], &origin.folder()).unwrap();
    origin.publish("2026-11-20T12:03:00Z").unwrap();
}

#[test]
fn a_sudden_loss_of_subjects_must_be_meant() {
    let origin = Origin::new(&generated(10));
    origin.publish("2026-11-20T12:00:10Z").unwrap();
    origin.write(&generated(4));
    let head = fs::read(origin.folder().head()).unwrap();
    assert_eq!(origin.publish("2026-11-20T12:01:00Z").unwrap_err().code, "snapshot-shrunk");
    assert_eq!(fs::read(origin.folder().head()).unwrap(), head);
    let meant = Options { allow_shrink: true, ..origin.options("2026-11-20T12:02:00Z") };
    let version = publish(&meant, &[key()], &origin.folder()).unwrap().version;
    assert_eq!(origin.head().head().shrunk_at_version, version);
    origin.publish("2026-11-20T12:03:00Z").unwrap();
    assert_eq!(origin.head().head().shrunk_at_version, version, "it is remembered");
}

#[test]
fn one_folder_has_one_audience_and_one_publisher_at_a_time() {
    let origin = Origin::new(&generated(3));
    origin.publish("2026-11-20T12:00:10Z").unwrap();
    let mut other = origin.options("2026-11-20T12:01:00Z");
    other.terms.audience = "acme/live".into();
    assert_eq!(publish(&other, &[key()], &origin.folder()).unwrap_err().code, "audience-mismatch");
    let held = fs::File::create(origin.folder().lock()).unwrap();
    held.lock().unwrap();
    assert_eq!(origin.publish("2026-11-20T12:02:00Z").unwrap_err().code, "publisher-busy");
}

/// A subject whose static configs are each as long as allowed, and more than fit into one slice.
fn oversized() -> String {
    let feature = |number: u8| json!({ "feature": format!("f{number}") });
    let config = "x".repeat(60_000);
    let entitlement =
        |number: u8| json!({ "feature": format!("f{number}"), "type": "static", "config": config });
    let subject = json!({
        "subject": "large", "entitlements": (0..5).map(entitlement).collect::<Vec<_>>(),
    });
    let lines: Vec<_> = (0..5).map(feature).chain([subject]).collect();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn fault_B21_a_subject_beyond_a_limit_is_refused_with_its_line() {
    let origin = Origin::new(&oversized());
    let failure = origin.publish("2026-11-20T12:00:10Z").unwrap_err();
    assert_eq!(failure.code, "snapshot-limit");
    assert!(failure.message.contains("line 6: entitlements: "), "{}", failure.message);
    assert!(!origin.folder().path().exists());
    let (facts, mut checker) = (oversized(), Checker::default());
    let read = Facts::new(facts.as_bytes(), at("2026-11-20T12:00:10Z"), &mut checker);
    let Some(Err(ReadError::Refused(problem))) = read.last() else { panic!("validate takes it") };
    assert_eq!((problem.line, problem.code.as_str()), (6, "snapshot-limit"));
    // What was published before keeps serving.
    let origin = Origin::new(&bulky(20));
    origin.publish("2026-11-20T12:00:10Z").unwrap();
    let head = origin.head_bytes();
    origin.write(&oversized());
    origin.publish("2026-11-20T12:01:10Z").unwrap_err();
    assert_eq!(origin.head_bytes(), head);
    origin.assert_whole();
}

#[test]
fn fault_B20_a_snapshot_of_twice_the_size_is_published() {
    let origin = Origin::new(&bulky(40));
    let before = origin.publish("2026-11-20T12:00:10Z").unwrap();
    origin.write(&bulky(80));
    let after = origin.publish("2026-11-20T12:01:10Z").unwrap();
    assert!(after.pack_bytes > 2 * before.pack_bytes - 4096);
    assert_eq!(after.subjects, 80);
    origin.assert_whole();
}

#[test]
fn fault_B24_an_empty_snapshot_must_be_meant() {
    for subjects in [1, 2, 10] {
        let origin = Origin::new(&bulky(subjects));
        origin.publish("2026-11-20T12:00:10Z").unwrap();
        origin.write("");
        let failure = origin.publish("2026-11-20T12:01:10Z").unwrap_err();
        assert_eq!(failure.code, "snapshot-shrunk", "{subjects}");
        let meant = Options { allow_shrink: true, ..origin.options("2026-11-20T12:02:00Z") };
        let version = publish(&meant, &[key()], &origin.folder()).unwrap().version;
        assert_eq!(origin.head().head().shrunk_at_version, version);
        // A publisher that lost its state still says it.
        fs::remove_file(origin.folder().state()).unwrap();
        origin.publish("2026-11-20T12:03:00Z").unwrap();
        assert_eq!(origin.head().head().shrunk_at_version, version);
        origin.assert_whole();
    }
}

#[test]
fn fault_B23_rows_that_stand_twice_are_refused_with_their_line() {
    let facts = bulky(3);
    let last = facts.lines().last().unwrap();
    let origin = Origin::new(&format!("{facts}{last}\n"));
    let failure = origin.publish("2026-11-20T12:00:10Z").unwrap_err();
    assert_eq!(failure.code, "duplicate-subject");
    assert!(failure.message.contains("line 5: subject: "), "{}", failure.message);
}

#[test]
fn refills_may_add_up_to_more_than_a_snapshot_can_say() {
    let origin = Origin::new(concat!(
        "{\"feature\":\"t\"}\n",
        r#"{"subject":"acme","entitlements":[{"feature":"t","type":"metered","#,
        r#""measureUsageFrom":"2026-11-01T00:00:00Z","grants":[{"id":"g","#,
        r#""amount":9007199254740991,"effectiveAt":"2026-11-01T00:00:00Z","#,
        r#""recurrence":{"interval":"P1D","anchor":"2026-11-01T00:00:00Z"}}],"#,
        r#""usage":{"kind":"flow","events":[{"at":"2026-11-01T12:00:00Z","amount":1}]}}]}"#,
        "\n"
    ));
    origin.publish("2026-11-20T12:00:10Z").unwrap();
}
