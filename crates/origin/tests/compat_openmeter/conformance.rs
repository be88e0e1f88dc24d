//! Values and histories over HTTP are those of the conformance cases, from the snapshot and from
//! the facts beside it.

use std::path::PathBuf;

use edgegrant::Amount;
use edgegrant::model::{self, Entitlement, Fact, Feature, Source, Subject, Usage, UsageKind};
use edgegrant::time::Timestamp;
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::{self, Asked, Case};
use edgegrant_testkit::compare::{Rule, compare};
use edgegrant_testkit::engine::{entitlement, instant};
use edgegrant_testkit::question::{
    Access, EntitlementType, HistoryQuery, Ledger, Question, WindowSize,
};
use serde_json::{Value, json};

use crate::kit::{Served, at, root};

/// Later than anything that a case asks for.
const NOW: &str = "2100-01-01T00:00:00Z";
const FEATURE: &str = "metered";
const METERED: &[&str] = &["metered.value", "metered.history"];

/// Cases that are always here, and those of the reference material where it is present; each with
/// how many values there are at least.
fn files() -> Vec<(Vec<PathBuf>, usize)> {
    let named = |folder: &str, names: [&str; 2]| names.map(|name| root().join(folder).join(name));
    let committed = named("tests/vectors", ["hand.json", "random.json"]);
    let shared = named("../shared/conformance", ["openmeter.json", "generated.json"]);
    let mut files = vec![(committed.to_vec(), 400)];
    if shared.iter().all(|file| file.exists()) {
        files.push((shared.to_vec(), 1300));
    } else {
        println!("skipped: {} is not there", shared[0].display());
    }
    files
}

/// The cases of some kinds.
fn cases(files: &[PathBuf], kinds: &[&str]) -> Vec<Case> {
    let all = files.iter().flat_map(|file| case::read(file).unwrap());
    all.filter(|case| kinds.contains(&&*case.kind)).collect()
}

fn ledger(question: &Question) -> &Ledger {
    match question {
        Question::Value { ledger, .. } | Question::History { ledger, .. } => ledger,
        other => panic!("{other:?}"),
    }
}

/// Facts about one subject, as if they had been imported.
fn subject(id: &str, given: Entitlement) -> Fact {
    let source = Some(Source { system: "openmeter".into(), id: format!("of {id}") });
    let entitlements = vec![Entitlement { source, ..given }];
    Fact::Subject(Subject { entitlements, ..Subject::new(id) })
}

fn serve(subjects: impl Iterator<Item = Fact>) -> Served {
    let feature = Fact::Feature(Feature::new(FEATURE));
    Served::publish(&std::iter::once(feature).chain(subjects).collect::<Vec<_>>(), at(NOW))
}

/// What the endpoint answers, in the words of the cases.
fn answer(served: &Served, subject: &str, asked: &Asked) -> Answer {
    match &asked.question {
        Question::Value { at, .. } => value(served, subject, asked, json!(at)),
        Question::History { query, .. } => history(served, subject, asked, query),
        other => panic!("{other:?}"),
    }
}

fn value(served: &Served, subject: &str, asked: &Asked, at: Value) -> Answer {
    let at = at.as_str().unwrap();
    let path = format!("/api/v2/customers/{subject}/entitlements/{FEATURE}/value?time={at}");
    let mut body = served.get(&path);
    let Answer::Value(expected) = &asked.expected else { panic!("{asked:?}") };
    // A value does not tell the usage period.
    body["currentUsagePeriod"] = json!(expected.current_usage_period);
    Answer::parse(&asked.question, &body.to_string()).unwrap()
}

fn history(served: &Served, subject: &str, asked: &Asked, query: &HistoryQuery) -> Answer {
    let path = format!("/api/v2/customers/{subject}/entitlements/{FEATURE}/history");
    let (from, to) = (json!(query.from), json!(query.to));
    let size = match query.window_size {
        WindowSize::Hour => "HOUR",
        WindowSize::Day => "DAY",
    };
    let (from, to) = (from.as_str().unwrap(), to.as_str().unwrap());
    let body = served.get(&format!("{path}?from={from}&to={to}&windowSize={size}"));
    let window = |window: &Value| {
        json!({ "from": window["period"]["from"], "to": window["period"]["to"],
                "usage": window["usage"], "balanceAtStart": window["balanceAtStart"] })
    };
    let segment = |segment: &Value| {
        json!({ "from": segment["period"]["from"], "to": segment["period"]["to"],
                "balanceAtStart": segment["grantBalancesAtStart"],
                "grantUsages": segment["grantUsages"],
                "totalUsage": segment["usage"], "overage": segment["overage"] })
    };
    let all = |name: &str, told: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        body[name].as_array().unwrap().iter().map(told).collect()
    };
    let told = json!({ "windows": all("windowedHistory", &window),
                       "segments": all("burndownHistory", &segment) });
    Answer::parse(&asked.question, &told.to_string()).unwrap()
}

fn mismatches(served: &Served, subject: &str, case: &Case, asked: &Asked) -> Vec<String> {
    let got = answer(served, subject, asked);
    let found = compare(asked, Rule::FLOATS.without_segments(), &got);
    found.iter().map(|mismatch| format!("{}: {mismatch}", case.id)).collect()
}

#[test]
fn past_values_and_histories_agree_with_the_conformance_cases() {
    for (files, at_least) in files() {
        let cases = cases(&files, METERED);
        let whole = |case: &Case| subject(&case.id, entitlement(ledger(&case.asked[0].question)));
        let served = serve(cases.iter().map(whole));
        let (mut values, mut histories, mut found) = (0, 0, Vec::new());
        for case in &cases {
            for asked in &case.asked {
                match asked.question {
                    Question::History { .. } => histories += 1,
                    _ => values += 1,
                }
                found.extend(mismatches(&served, &case.id, case, asked));
            }
        }
        println!("{} cases: {values} values and {histories} histories compared", cases.len());
        assert!(found.is_empty(), "{} mismatches:\n{}", found.len(), found.join("\n"));
        assert!(values >= at_least && histories >= 6, "some cases are missing");
    }
}

/// A ledger as it is known in the minute of a question.
fn known_at(ledger: &Ledger, asked: edgegrant_testkit::Instant) -> Entitlement {
    let minute = instant(asked).ceil_minute();
    let mut given = entitlement(ledger);
    if let Some(usage) = &mut given.usage {
        usage.as_of = Some(Timestamp::from(minute));
        usage.events.retain(|event| event.at.floor_second() < minute);
    }
    given
}

#[test]
fn values_of_snapshots_agree_with_the_conformance_cases() {
    for (files, at_least) in files() {
        let cases = cases(&files, METERED);
        let asked = cases.iter().flat_map(|case| case.asked.iter().map(move |asked| (case, asked)));
        let values = asked.filter_map(|(case, asked)| match &asked.question {
            Question::Value { ledger, at } => Some((case, asked, known_at(ledger, *at))),
            _ => None,
        });
        let values: Vec<_> = values.collect();
        let subjects = values.iter().enumerate();
        let served =
            serve(subjects.map(|(place, (_, _, given))| subject(&name(place), given.clone())));
        let mut found = Vec::new();
        for (place, (case, asked, _)) in values.iter().enumerate() {
            found.extend(mismatches(&served, &name(place), case, asked));
        }
        println!("{} values compared", values.len());
        assert!(found.is_empty(), "{} mismatches:\n{}", found.len(), found.join("\n"));
        assert!(values.len() >= at_least, "some cases are missing");
    }
}

fn name(place: usize) -> String {
    format!("subject-{place}")
}

/// The entitlement that a case of access is about, if there is one.
fn accessed(access: &Access) -> Option<Entitlement> {
    let kind = match access.kind.as_ref()? {
        EntitlementType::Metered => model::EntitlementType::Metered,
        _ => model::EntitlementType::Boolean,
    };
    let timestamp = |at: edgegrant_testkit::Instant| Timestamp::from(instant(at));
    let amount = |amount: edgegrant_testkit::Amount| Amount::from_nanos(amount.as_nanos());
    let ended = (access.active == Some(false)).then(|| at("2000-01-01T00:00:00Z").into());
    let usage = (kind == model::EntitlementType::Metered).then(|| Usage {
        balance: Some(amount(access.balance)),
        amount: Some(Amount::ZERO),
        overage: Some(Amount::ZERO),
        ..Usage::new(UsageKind::Value)
    });
    Some(Entitlement {
        active_from: access.active_from.or(access.created_at).map(timestamp),
        active_to: access.active_to.map(timestamp).or(ended),
        deleted_at: access.deleted_at.map(timestamp),
        usage,
        ..Entitlement::new(FEATURE, kind)
    })
}

#[test]
fn access_agrees_with_the_conformance_cases() {
    for (files, _) in files() {
        let cases = cases(&files, &["access"]);
        let asked: Vec<&Access> = cases
            .iter()
            .map(|case| match &case.asked[0].question {
                Question::Access(access) => access,
                other => panic!("{other:?}"),
            })
            .collect();
        let served = serve(asked.iter().enumerate().map(|(place, access)| {
            let source = Some(Source { system: "openmeter".into(), id: name(place) });
            let entitlements = accessed(access).into_iter().collect();
            Fact::Subject(Subject { source, entitlements, ..Subject::new(name(place)) })
        }));
        for (place, (case, access)) in cases.iter().zip(&asked).enumerate() {
            let feature = if access.feature_exists { FEATURE } else { "another" };
            let time = access.at.map(|at| format!("?time={}", json!(at).as_str().unwrap()));
            let path = format!("/api/v2/customers/{}/entitlements/{feature}/value", name(place));
            let body = served.get(&(path + &time.unwrap_or_default()));
            let Answer::Access(expected) = &case.asked[0].expected else { panic!("{case:?}") };
            assert_eq!(body["hasAccess"], expected.has_access, "{}", case.id);
        }
        println!("{} answers about access compared", cases.len());
        assert!(cases.len() >= 14, "some cases are missing");
    }
}
