//! Facts: lines that are read, compiled, encoded and asked.

use edgegrant::engine::{self, Question};
use edgegrant::snapshot::SubjectRecord;
use edgegrant_origin::facts::{Checker, Entry, Facts, ReadError};

use crate::support::usage_as_of;
use crate::{ask, capped};

const GOOD: &str = include_str!("../../../crates/origin/tests/fixtures/good.ndjson");

/// Every field of a metered entitlement.
const METERED: &str = include_str!("../../seeds/metered.ndjson");

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let level =
        METERED.replace(r#""kind":"flow","events":["#, r#""kind":"level","amount":3,"x":["#);
    [GOOD, METERED, &level].map(|text| text.as_bytes().to_vec()).to_vec()
}

pub(super) fn run(bytes: &[u8]) {
    let mut checker = Checker::default();
    let (mut features, mut subjects) = (Vec::new(), Vec::new());
    let facts = capped::reading(bytes.len(), || {
        Facts::new(bytes, usage_as_of(), &mut checker).collect::<Vec<_>>()
    });
    for entry in facts {
        match entry {
            Ok(Entry::Feature(feature)) => features.push(feature),
            Ok(Entry::Subject(subject)) => subjects.push(subject),
            Err(ReadError::Refused(problem)) => {
                assert!(problem.line > 0 && !problem.code.is_empty());
                assert!(!problem.message.contains("acme"), "ids stay out of messages");
            }
            Err(ReadError::Io(error)) => panic!("memory was read: {error}"),
        }
    }
    subjects.sort_by(|one, other| one.id.cmp(&other.id));
    subjects.iter_mut().for_each(ask::by_feature);
    let bare = subjects.iter().map(|s| SubjectRecord { aliases: Vec::new(), ..s.clone() });
    let (_, body) = ask::again(&features, &bare.collect::<Vec<_>>()).expect("ids were checked");
    assert_eq!(ask::body(&body).len(), subjects.len());
    steady(&subjects);
}

/// The state that is kept beside a program is what the program says.
fn steady(subjects: &[SubjectRecord]) {
    for entitlement in subjects.iter().flat_map(|subject| &subject.entitlements) {
        let Some(steady) = &entitlement.steady else { continue };
        for now in [steady.after.plus_millis(60_000), steady.until.plus_millis(-60_000)] {
            let now = now.floor_minute();
            if now <= steady.after || now >= steady.until {
                continue;
            }
            let question = Question::at(now);
            let decision = engine::decide(&entitlement.program, &question);
            let by_state = engine::decide_with(&entitlement.program, Some(steady), &question);
            assert_eq!(by_state, decision, "at {now}");
            let Some(numbers) = decision.numbers else { continue };
            if let (Some(balance), Some(overage)) = (numbers.balance, numbers.overage) {
                assert_eq!(steady.net, balance - overage, "at {now}");
            }
        }
    }
}
