//! What was taken out of the facts is, after `gc`, in no file of the folder.

use edgegrant_origin::gc::{self, Freed, gc};
use edgegrant_origin::publish::prepare;
use serde_json::json;

use crate::kit::{Origin, at, bulky, key};

const FIRST: &str = "2026-11-20T12:08:10Z";
const SECOND: &str = "2026-11-20T12:10:10Z";
/// When the first head has expired.
const LATER: &str = "2026-11-21T12:08:10Z";

/// What only this subject has: ids, an alias, a config and the id of a grant.
const TRACES: [&str; 5] =
    ["erika.mustermann", "mustermann-alias", "PRIVATE-REGION", "private-grant-77", "Mustermann"];

fn subject() -> String {
    let since = "2026-01-01T00:00:00Z";
    let fixed = json!({
        "feature": "private_regions", "type": "static",
        "config": { "name": "Mustermann", "region": "PRIVATE-REGION" },
    });
    let metered = json!({
        "feature": "private_calls", "type": "metered", "measureUsageFrom": since,
        "usagePeriod": { "interval": "P1M", "anchor": since },
        "grants": [{ "id": "private-grant-77", "amount": 77, "effectiveAt": since }],
    });
    let subject = json!({
        "subject": "erika.mustermann@example.com", "aliases": ["mustermann-alias"],
        "entitlements": [fixed, metered],
    });
    format!("{subject}\n")
}

fn others(subjects: usize) -> String {
    let features = "{\"feature\":\"private_regions\"}\n{\"feature\":\"private_calls\"}\n";
    features.to_owned() + &bulky(subjects)
}

/// The files in which a trace of the subject is.
fn traces(origin: &Origin) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        TRACES.iter().any(|trace| bytes.windows(trace.len()).any(|part| part == trace.as_bytes()))
    };
    let files = origin.files().into_iter();
    files.filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name).collect()
}

fn at_once(origin: &Origin) -> Freed {
    let options = gc::Options { now: at(SECOND), only_present: true, dry_run: false };
    gc(&options, &origin.folder()).unwrap()
}

/// A folder in which the subject is in all kinds of files.
fn with_subject() -> Origin {
    let origin = Origin::new(&others(32));
    origin.publish("2026-11-20T12:05:10Z").unwrap();
    origin.write(&(others(32) + &subject()));
    origin.publish(FIRST).unwrap();
    let found = traces(&origin);
    for kind in ["private/part/", "private/pack/", "private/delta/"] {
        assert!(found.iter().any(|name| name.starts_with(kind)), "{kind} of {found:?}");
    }
    origin
}

#[test]
fn a_subject_is_gone_once_the_heads_that_knew_it_have_expired() {
    let origin = with_subject();
    origin.write(&others(32));
    origin.publish(SECOND).unwrap();
    origin.gc(SECOND);
    assert!(!traces(&origin).is_empty(), "a head that holds still names it");
    origin.assert_whole();
    origin.gc(LATER);
    assert_eq!(traces(&origin), Vec::<String>::new());
    origin.assert_whole();
}

#[test]
fn a_subject_is_gone_at_once_when_only_the_present_is_kept() {
    let origin = with_subject();
    origin.write(&others(32));
    origin.publish(SECOND).unwrap();
    let freed = at_once(&origin);
    assert!(freed.deltas > 0 && freed.packs > 0 && freed.parts > 0, "{freed:?}");
    assert_eq!(traces(&origin), Vec::<String>::new());
    origin.assert_whole();
}

#[test]
fn nor_does_what_waits_or_was_never_finished_hold_it() {
    let origin = with_subject();
    // Two subjects would be written, and one publisher died while it wrote.
    let waiting = prepare(&origin.options(SECOND), &[key().trusted_key()], &origin.folder());
    waiting.unwrap();
    for folder in ["private/part", "private/pack", "private/delta", "public", "state"] {
        let path = origin.folder().path().join(folder).join(".tmpAbCdEf");
        std::fs::write(path, subject()).unwrap();
    }
    origin.write(&others(32));
    origin.publish(SECOND).unwrap();
    at_once(&origin);
    assert_eq!(traces(&origin), Vec::<String>::new());
}

#[test]
fn a_dry_run_tells_and_touches_nothing() {
    let origin = with_subject();
    origin.write(&others(32));
    origin.publish(SECOND).unwrap();
    let before = origin.files();
    let options = gc::Options { now: at(LATER), only_present: false, dry_run: true };
    let told = gc(&options, &origin.folder()).unwrap();
    assert_eq!(origin.files(), before);
    let done = origin.gc(LATER);
    assert_eq!(Freed { dry_run: false, ..told }, done);
    let bytes = |files: &[(String, Vec<u8>)]| files.iter().map(|(_, b)| b.len()).sum::<usize>();
    assert_eq!(done.bytes, (bytes(&before) - bytes(&origin.files())) as u64);
}
