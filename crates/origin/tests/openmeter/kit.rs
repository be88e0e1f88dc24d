//! Exports written for a test, and the answers that come out of them.

use std::fs;

use edgegrant::engine::{self, Decision, Question};
use edgegrant::model::{Entitlement, Fact, Subject};
use edgegrant::{Amount, Instant};
use edgegrant_origin::Failure;
use edgegrant_origin::facts::{Checker, Entry};
use edgegrant_origin::sources::openmeter::{Options, import};
use edgegrant_origin::sources::{Level, Notes};
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

/// What an import gave.
pub(crate) struct Imported {
    pub(crate) facts: Vec<Fact>,
    pub(crate) notes: Notes,
}

/// Imports files, written for this, as of 10 March 2026.
pub(crate) fn imported(files: &[(&str, Value)]) -> Imported {
    imported_with(files, false)
}

pub(crate) fn imported_with(files: &[(&str, Value)], trust_units: bool) -> Imported {
    attempted(files, trust_units).unwrap()
}

/// The code with which files are refused.
pub(crate) fn refusal(files: &[(&str, Value)]) -> String {
    attempted(files, false).map(|import| import.facts).unwrap_err().code
}

fn attempted(files: &[(&str, Value)], trust_units: bool) -> Result<Imported, Failure> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let lines = |values: &Vec<Value>| values.iter().map(|value| format!("{value}\n")).collect();
        let text = match content {
            Value::Array(values) if name.ends_with(".ndjson") => lines(values),
            other => other.to_string(),
        };
        fs::write(path, text).unwrap();
    }
    let mut notes = Notes::default();
    let options = Options { at: at("2026-03-10T12:00:00Z"), trust_units };
    let facts = import(&[folder.path().to_owned()], &options, &mut notes)?.collect();
    Ok(Imported { facts, notes })
}

impl Imported {
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.notes.all().iter().map(|note| note.code).collect()
    }

    pub(crate) fn errors(&self) -> Vec<&str> {
        let errors = self.notes.all().iter().filter(|note| note.level == Level::Error);
        errors.map(|note| note.code).collect()
    }

    pub(crate) fn subjects(&self) -> Vec<&Subject> {
        let mut subjects = Vec::new();
        for fact in &self.facts {
            if let Fact::Subject(subject) = fact {
                subjects.push(subject);
            }
        }
        subjects
    }

    /// The only entitlement of the only subject.
    pub(crate) fn only(&self) -> &Entitlement {
        let subjects = self.subjects();
        let [subject] = subjects.as_slice() else { panic!("{subjects:?}") };
        let [entitlement] = subject.entitlements.as_slice() else { panic!("{subject:?}") };
        entitlement
    }

    /// Every fact is one that the reader takes.
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.errors(), Vec::<&str>::new());
        let mut checker = Checker::default();
        for fact in &self.facts {
            checker.check(fact).unwrap();
            Entry::new(fact.clone(), at("2026-12-31T00:00:00Z")).unwrap();
        }
    }

    /// The decision about the only entitlement, as published at `now`.
    pub(crate) fn decide(&self, now: &str) -> Decision {
        self.assert_sound();
        let now = at(now);
        let only = self.only();
        let compiled = engine::compile(only, edgegrant::model::Status::Active, now).unwrap();
        engine::decide(
            &compiled.program,
            &Question { now, amount: None, used: edgegrant::Amount::ZERO, extra: &[] },
        )
    }

    /// Balance, usage and overage at an instant.
    pub(crate) fn numbers(&self, now: &str) -> [String; 3] {
        let numbers = self.decide(now).numbers.unwrap();
        [numbers.balance, numbers.usage, numbers.overage]
            .map(|number| number.map_or("unknown".into(), |number| number.to_string()))
    }
}

/// A record with some fields written over or, as null, taken away.
pub(crate) fn with(mut record: Value, fields: Value) -> Value {
    for (name, field) in fields.as_object().unwrap() {
        let object = record.as_object_mut().unwrap();
        if field.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), field.clone());
        }
    }
    record
}

/// A metered entitlement of version 2: monthly from the first, measured since January.
pub(crate) fn metered(fields: Value) -> Value {
    let record = json!({
        "id": "01HM0000000000000000000001", "type": "metered",
        "featureId": "01HF0000000000000000000001", "featureKey": "tokens",
        "customerId": "01HC0000000000000000000001", "customerKey": "acme",
        "activeFrom": "2026-01-01T00:00:00Z", "createdAt": "2026-01-01T00:00:00.123456Z",
        "updatedAt": "2026-01-01T00:00:00.123456Z",
        "isSoftLimit": false, "issueAfterReset": 0, "issue": { "amount": 0 },
        "preserveOverageAtReset": false,
        "measureUsageFrom": "2026-01-01T00:00:00Z", "lastReset": "2026-01-01T00:00:00Z",
        "currentUsagePeriod": { "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z" },
        "usagePeriod": {
            "anchor": "2026-01-01T00:00:00Z", "interval": "MONTH", "intervalISO": "P1M"
        }
    });
    with(record, fields)
}

/// A grant of 100 since January that keeps what is left at resets.
pub(crate) fn grant(fields: Value) -> Value {
    let record = json!({
        "id": "01HG0000000000000000000001", "entitlementId": "01HM0000000000000000000001",
        "amount": 100, "priority": 1, "effectiveAt": "2026-01-01T00:00:00Z",
        "minRolloverAmount": 0, "maxRolloverAmount": 100,
        "createdAt": "2026-01-01T00:00:00.2Z", "updatedAt": "2026-01-01T00:00:00.2Z"
    });
    with(record, fields)
}

/// A value at noon of 10 March: 40 of 100 left.
pub(crate) fn value(fields: Value) -> Value {
    let value = json!({
        "hasAccess": true, "balance": 40, "usage": 60, "overage": 0,
        "totalAvailableGrantAmount": 100,
        "grantBalances": { "01HG0000000000000000000001": 40 }
    });
    answer("2026-03-10T12:00:00Z", with(value, fields))
}

pub(crate) fn answer(time: &str, value: Value) -> Value {
    json!({ "entitlementId": "01HM0000000000000000000001", "time": time, "value": value })
}

/// Per-minute usage since noon of 10 March.
pub(crate) fn usage(rows: &[(&str, &str, Value)]) -> Value {
    let data: Vec<Value> = rows
        .iter()
        .map(|(start, end, value)| {
            json!({ "value": value, "windowStart": start, "windowEnd": end, "groupBy": {} })
        })
        .collect();
    json!({
        "entitlementId": "01HM0000000000000000000001",
        "usage": {
            "from": "2026-03-10T12:00:00Z", "to": "2026-03-10T13:00:00Z",
            "windowSize": "MINUTE", "data": data
        }
    })
}

/// An export of one metered entitlement.
pub(crate) fn export(
    entitlement: Value,
    grants: Value,
    values: Value,
    usage: Value,
) -> [(&'static str, Value); 4] {
    [
        ("entitlements.json", json!([entitlement])),
        ("grants.json", grants),
        ("values.ndjson", values),
        ("usage.ndjson", usage),
    ]
}
