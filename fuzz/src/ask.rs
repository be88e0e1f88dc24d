//! Every question that can be asked of what was accepted, and whether it can be said again.

use std::collections::HashSet;

use edgegrant::engine::program::{Program, Rule};
use edgegrant::engine::{self, HistoryQuery, Question, UsageEvent, WindowSize};
use edgegrant::snapshot::{
    Body, Encoded, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, encode,
};
use edgegrant::{Amount, Error, Instant};

use crate::support::{SEED, usage_as_of};

/// Decides, explains and tells the history of a program around its boundaries.
pub(crate) fn program(program: &Program) {
    let mut instants = vec![Instant::MIN, Instant::EPOCH, usage_as_of(), Instant::MAX];
    instants.extend([program.active_from, program.active_to, program.grace_until].iter().flatten());
    if let Rule::Metered(metered) = &program.rule {
        let opening = metered.opening.at;
        let minute = 60_000;
        let offsets = [-1, 0, 1, minute, 31 * 1440 * minute, 366 * 1440 * minute];
        instants.extend(offsets.map(|offset| opening.plus_millis(offset)));
    }
    for now in instants {
        for used in [Amount::ZERO, Amount::from_units(5), Amount::MAX] {
            let extra = [UsageEvent { at: now, amount: Amount::from_units(1) }];
            let question = Question { now, amount: Some(used), extra: &extra, used };
            let decision = engine::decide(program, &question);
            assert_eq!(engine::explain(program, &question).decision, decision);
        }
    }
    if let Rule::Metered(metered) = &program.rule {
        for window in [WindowSize::Hour, WindowSize::Day] {
            let from = metered.opening.period_start;
            let query = HistoryQuery { from, to: from.plus_millis(1 << 33), window, extra: &[] };
            if let Ok(history) = metered.history(&query) {
                assert!(history.windows.len() <= engine::PAGE);
            }
        }
    }
}

/// Touches every page, so that each is verified.
pub(crate) fn every_page(body: &Body) -> Result<(), Error> {
    body.subjects().try_for_each(|subject| subject.map(drop))
}

/// Asks everything of every subject, and gives what they say.
pub(crate) fn body(body: &Body) -> Vec<SubjectRecord> {
    let mut records = Vec::new();
    for subject in body.subjects() {
        let subject = subject.unwrap();
        let found = body.subject(subject.id()).unwrap();
        assert!(found.is_some_and(|found| found.place() == subject.place()));
        let record = subject.to_record().unwrap();
        for (entitlement, (feature, entry)) in record.entitlements.iter().zip(subject.entries()) {
            assert_eq!(entry.program().unwrap(), entitlement.program);
            assert_eq!(entry.grant_ids(&feature).unwrap(), entitlement.grant_ids);
            assert_eq!(entry.steady().unwrap(), entitlement.steady);
            program(&entitlement.program);
        }
        records.push(record);
    }
    records.sort_by(|one, other| one.id.cmp(&other.id));
    records.iter_mut().for_each(by_feature);
    records
}

pub(crate) fn by_feature(record: &mut SubjectRecord) {
    record.entitlements.sort_by(|one, other| one.feature.cmp(&other.feature));
}

/// What a reader accepts, the writer must be able to say, and the reader must then read the same.
/// Only of grant ids does a reader take for granted that they are unique and not too long.
pub(crate) fn again(
    features: &[FeatureRecord],
    records: &[SubjectRecord],
) -> Option<(Encoded, Body)> {
    let settings = Settings { seed: SEED, usage_as_of: usage_as_of(), previous_page_bits: None };
    let encoded = match encode(&settings, features, records.to_vec()) {
        Ok(encoded) => encoded,
        Err(error) => {
            assert_eq!(error.code(), "grant-id-invalid", "what was read is written");
            assert!(records.iter().any(|record| record.entitlements.iter().any(has_odd_ids)));
            return None;
        }
    };
    let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of()).unwrap();
    body.verify().unwrap();
    let mut read: Vec<_> = body.subjects().map(|s| s.unwrap().to_record().unwrap()).collect();
    read.sort_by(|one, other| one.id.cmp(&other.id));
    read.iter_mut().for_each(by_feature);
    assert_eq!(read, records);
    Some((encoded, body))
}

fn has_odd_ids(entitlement: &EntitlementRecord) -> bool {
    let ids = &entitlement.grant_ids;
    let distinct: HashSet<&String> = ids.iter().collect();
    distinct.len() < ids.len() || ids.iter().any(|id| id.len() > 128)
}

/// The features of a body, as whoever declares them.
pub(crate) fn features(body: &Body) -> Vec<FeatureRecord> {
    let record = |feature: edgegrant::snapshot::Feature<'_>| FeatureRecord {
        key: feature.key.to_owned(),
        unit: feature.unit.map(str::to_owned),
        when_expired: feature.when_expired,
    };
    body.catalogue().features().map(record).collect()
}
