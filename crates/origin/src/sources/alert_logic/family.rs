//! All records of an account about one product family, as one entitlement.

use edgegrant::Instant;
use edgegrant::model::{
    Config, Entitlement, EntitlementType, Grant, Source, Status, Usage, UsageKind,
};
use edgegrant::time::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::accounts::Listed;
use super::wire::{self, Number};
use super::{Notes, Options, Reason, SYSTEM};

/// The records, in the order listed.
#[derive(Debug, Default)]
pub(super) struct Family<'a> {
    records: Vec<&'a Listed>,
}

impl<'a> Family<'a> {
    pub(super) fn add(&mut self, record: &'a Listed) {
        self.records.push(record);
    }

    /// What the record that decides says; `None` where there is no record.
    pub(super) fn into_entitlement(
        self,
        key: &str,
        options: &Options,
        notes: &mut Notes,
    ) -> Option<Entitlement> {
        let decides = self.decides(options)?;
        let record = &decides.value;
        let mut target = Entitlement::new(key, kind(record));
        let id = record.id.clone().unwrap_or_else(|| key.to_owned());
        target.source = Some(Source { system: SYSTEM.into(), id });
        let mut flags = Vec::new();
        if options.lets_use(record) {
            target.active_from = record.start_date.map(|start| start.0);
            target.active_to = end(decides, options, notes);
            if target.active_to.is_none() && record.end_date.is_some() {
                flags.push("past-end-at-import");
            }
        } else {
            target.status = Status::Suspended;
            if !matches!(record.status.as_deref(), Some("canceled" | "expired")) {
                flags.push(STATUS_UNKNOWN.0);
                notes.warn(&decides.place, STATUS_UNKNOWN);
            }
        }
        match (target.kind, &record.value) {
            (EntitlementType::Metered, Some(value)) => fill(&mut target, decides, value, notes),
            (EntitlementType::Static, Some(value)) => configure(&mut target, decides, value, notes),
            _ if record.usage_based == Some(true) => {
                flags.push(WITHOUT_VALUE.0);
                notes.warn(&decides.place, WITHOUT_VALUE);
            }
            _ => {}
        }
        describe(&mut target, record, &flags);
        Some(target)
    }

    /// The record that decides: the one with the latest end, of several the one that is usable.
    ///
    /// One that begins later leaves it, until then, to the one that would decide without it.
    fn decides(&self, options: &Options) -> Option<&'a Listed> {
        let usable = |record: &&Listed| options.lets_use(&record.value);
        let begun = |record: &&Listed| options.has_begun(&record.value);
        let mut records = self.records.clone();
        if options.any_active && records.iter().any(usable) {
            records.retain(usable);
        }
        let last = latest(&records, options)?;
        if begun(&last) || !usable(&last) {
            return Some(last);
        }
        records.retain(begun);
        Some(latest(&records, options).filter(usable).unwrap_or(last))
    }
}

fn latest<'a>(records: &[&'a Listed], options: &Options) -> Option<&'a Listed> {
    let rank = |listed: &&Listed| {
        let end = listed.value.end_date;
        (end.is_none(), end, options.lets_use(&listed.value))
    };
    records.iter().copied().max_by_key(rank)
}

/// The end of a usable record. What is canceled is not renewed, so it has no grace.
fn end(decides: &Listed, options: &Options, notes: &mut Notes) -> Option<Timestamp> {
    let end = decides.value.end_date.map(|end| end.0);
    if decides.value.status.as_deref() == Some("canceled") {
        return end;
    }
    options.ends.of(end, &decides.place, notes)
}

/// A value in months or years is how long data is kept; another one counts if it is billed by use.
fn kind(record: &wire::Entitlement) -> EntitlementType {
    let is_duration = matches!(record.value_type.as_deref(), Some("months" | "years"));
    match (&record.value, record.usage_based) {
        (None, _) => EntitlementType::Boolean,
        (Some(_), Some(true)) if !is_duration => EntitlementType::Metered,
        (Some(_), _) => EntitlementType::Static,
    }
}

/// The value and its type, as they came.
#[derive(Serialize)]
struct Setting<'a> {
    value: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_type: Option<&'a str>,
}

fn configure(target: &mut Entitlement, decides: &Listed, value: &RawValue, notes: &mut Notes) {
    let setting = Setting { value, value_type: decides.value.value_type.as_deref() };
    let text = serde_json::to_string(&setting).unwrap_or_default();
    match Config::parse(&text) {
        Ok(config) => target.config = Some(config),
        Err(error) => notes.error(&decides.place, (error.code(), error.message())),
    }
}

/// One grant, which is billed beyond its amount and not blocked.
fn fill(target: &mut Entitlement, decides: &Listed, value: &RawValue, notes: &mut Notes) {
    let Ok(Number(amount)) = serde_json::from_str(value.get()) else {
        notes.error(&decides.place, NOT_A_NUMBER);
        return;
    };
    let id = decides.value.id.clone().unwrap_or_else(|| target.feature.clone());
    let from = target.active_from.unwrap_or(Instant::EPOCH.into());
    target.grants = vec![Grant { expires_at: target.active_to, ..Grant::new(id, amount, from) }];
    target.soft_limit = true;
    target.usage = Some(Usage::new(UsageKind::Unknown));
}

fn describe(target: &mut Entitlement, record: &wire::Entitlement, flags: &[&str]) {
    let unit = || record.value_type.clone().filter(|unit| !unit.is_empty());
    let known = [
        ("status", record.status.clone()),
        ("subscription", record.subscription_id.clone()),
        ("unit", unit().filter(|_| target.kind == EntitlementType::Metered)),
        ("flag", (!flags.is_empty()).then(|| flags.join(" "))),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    target.attributes.extend(known);
}

const STATUS_UNKNOWN: Reason =
    ("status-unknown", "its status is none that is known to give access; it gives none");
const WITHOUT_VALUE: Reason = (
    "usage-without-value",
    "it is billed by use, but says no value; it is access without a number",
);
const NOT_A_NUMBER: Reason =
    ("value-not-a-number", "it is billed by use, but its value is no number; list it again");
