//! A product's export as OpenMeter's API, version 2, would answer it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use edgegrant::engine::{self, Ledger};
use edgegrant::model::{Entitlement, EntitlementType, Expiration, Grant, Recurrence};
use edgegrant::time::Timestamp;
use edgegrant::time::expiration;
use edgegrant::{Amount, Instant};
use serde_json::{Map, Value, json};

use super::product::{Customer, FEATURES, customer};
use crate::failure::Failure;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// How many customers.
    pub customers: u64,
    /// Chooses the data.
    pub seed: u64,
    /// When the export is made. Values are asked for some minutes before.
    pub at: Instant,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// How many records a page holds: the most that the server gives.
const PAGE_SIZE: usize = 1000;

/// Writes an export into a folder, which is made if it is absent.
///
/// # Errors
/// A file that cannot be written.
pub fn write_export(options: &Export, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::io(folder, &error))?;
    let mut files = Files::new(folder)?;
    for feature in FEATURES {
        let key = feature.key;
        let mut record = json!({
            "id": feature_id(key), "key": key, "name": feature.name,
            "createdAt": "2025-01-01T00:00:00Z", "updatedAt": "2025-01-01T00:00:00Z",
        });
        if let (Some(meter), Some(object)) = (feature.meter, record.as_object_mut()) {
            object.insert("meterSlug".into(), meter.into());
            files.meters.items.push(json!({
                "id": format!("01HM{key:0>22}").to_uppercase(), "slug": meter,
                "name": feature.name, "aggregation": "SUM", "eventType": key,
                "valueProperty": "$.units", "createdAt": "2025-01-01T00:00:00Z",
                "updatedAt": "2025-01-01T00:00:00Z",
            }));
        }
        files.features.items.push(record);
    }
    for number in 1..=options.customers {
        let customer = customer(options.seed, number, options.at)?;
        write_customer(&mut files, &customer, options.at)?;
    }
    files.finish()
}

/// The metered entitlements of an export's customers with their whole ledgers, which the export
/// itself shows only from its values on.
///
/// # Errors
/// None with the built-in data.
pub fn ledgers(options: &Export) -> Result<Vec<Entitlement>, edgegrant::Error> {
    let mut all = Vec::new();
    for number in 1..=options.customers {
        all.extend(customer(options.seed, number, options.at)?.entitlements);
    }
    all.retain(|entitlement| entitlement.kind == EntitlementType::Metered);
    Ok(all)
}

fn write_customer(files: &mut Files, customer: &Customer, at: Instant) -> Result<(), Failure> {
    let created_at = customer.created_at.to_string();
    files.customers.items.push(json!({
        "id": customer.id, "key": customer.key, "name": format!("Customer {}", customer.key),
        "usageAttribution": { "subjectKeys": [customer.key] },
        "metadata": { "plan": customer.plan }, "createdAt": created_at, "updatedAt": created_at,
    }));
    for entitlement in &customer.entitlements {
        let id = entitlement.source.as_ref().map_or("", |source| &source.id);
        let mut record = entitlement_record(customer, entitlement, id);
        if entitlement.kind == EntitlementType::Metered {
            let unsound = |problem: engine::Problem| Failure::from(problem.error);
            let ledger = engine::ledger(entitlement).map_err(unsound)?;
            record.extend(metered_fields(entitlement, &ledger, at));
            for grant in &entitlement.grants {
                files.grants.items.push(grant_record(grant, id, at));
            }
            let value_at = value_time(entitlement, at);
            files.values.push(json!({
                "entitlementId": id, "time": value_at.to_string(),
                "value": value(ledger, value_at),
            }))?;
            files.usage.push(usage_answer(entitlement, id, value_at, at))?;
        }
        files.entitlements.items.push(Value::Object(record));
    }
    Ok(())
}

/// A minute before now at which nothing happens: some minutes back, and past any reset by hand.
fn value_time(entitlement: &Entitlement, at: Instant) -> Instant {
    let mut time = at.floor_minute().plus_millis(-7 * MINUTE_MS);
    let minute = |reset: &edgegrant::model::Reset| reset.at.floor_minute();
    while time.millis().rem_euclid(HOUR_MS) == 0
        || entitlement.resets.iter().any(|reset| minute(reset) == time)
        || starts_period(entitlement, time)
    {
        time = time.plus_millis(-MINUTE_MS);
    }
    time
}

fn starts_period(entitlement: &Entitlement, time: Instant) -> bool {
    let Ok(ledger) = engine::ledger(entitlement) else { return false };
    ledger.metered.timeline.period_at(time).from == time
}

type Record = Map<String, Value>;

fn record(value: Value) -> Record {
    match value {
        Value::Object(record) => record,
        _ => Record::new(),
    }
}

fn entitlement_record(customer: &Customer, entitlement: &Entitlement, id: &str) -> Record {
    let created_at = customer.created_at.to_string();
    let mut fields = record(json!({
        "id": id, "type": entitlement.kind, "featureKey": entitlement.feature,
        "featureId": feature_id(&entitlement.feature), "customerId": customer.id,
        "customerKey": customer.key, "activeFrom": created_at, "createdAt": created_at,
        "updatedAt": created_at,
    }));
    if let Some(config) = &entitlement.config {
        fields.insert("config".into(), config.as_str().into());
    }
    fields
}

fn metered_fields(entitlement: &Entitlement, ledger: &Ledger, at: Instant) -> Record {
    let period = ledger.metered.timeline.period_at(at.ceil_minute());
    let start = ledger.metered.opening.at;
    let last_reset = entitlement.resets.last().map_or(start, |reset| reset.at.floor_minute());
    let to = period.to.unwrap_or(Instant::MAX);
    record(json!({
        "isSoftLimit": entitlement.soft_limit, "issueAfterReset": 0, "issue": { "amount": 0 },
        "preserveOverageAtReset": entitlement.preserve_overage_at_reset,
        "measureUsageFrom": start.to_string(), "lastReset": last_reset.to_string(),
        "currentUsagePeriod": { "from": period.from.to_string(), "to": to.to_string() },
        "usagePeriod": entitlement.usage_period.as_ref().map(recurrence_record),
    }))
}

fn recurrence_record(recurrence: &Recurrence) -> Value {
    let iso = recurrence.interval.to_string();
    let interval = match iso.as_str() {
        "P1D" => "DAY",
        "P7D" => "WEEK",
        "P1M" => "MONTH",
        "P1Y" => "YEAR",
        other => other,
    };
    json!({
        "anchor": recurrence.anchor.floor_minute().to_string(), "interval": interval,
        "intervalISO": iso,
    })
}

fn grant_record(grant: &Grant, entitlement: &str, at: Instant) -> Value {
    let created_at = grant.created_at.map(|at| at.to_string());
    let mut fields = record(json!({
        "id": grant.id, "entitlementId": entitlement, "amount": grant.amount,
        "priority": grant.priority, "effectiveAt": grant.effective_at.to_string(),
        "minRolloverAmount": grant.min_rollover, "maxRolloverAmount": grant.max_rollover,
        "createdAt": created_at, "updatedAt": created_at,
    }));
    if let Some(Expiration { duration, count }) = grant.expiration {
        let given = json!({ "duration": duration, "count": count });
        fields.insert("expiration".into(), given);
        let end = expiration(grant.effective_at.floor_minute(), duration, count);
        fields.insert("expiresAt".into(), json!(end.map(|end| end.to_string())));
    }
    if let Some(recurrence) = &grant.recurrence {
        fields.insert("recurrence".into(), recurrence_record(recurrence));
        let anchor = recurrence.anchor.floor_minute();
        let points = edgegrant::Recurrence { interval: recurrence.interval, anchor };
        let next = points.after(at).map(|next| next.to_string());
        fields.insert("nextRecurrence".into(), json!(next));
    }
    Value::Object(fields)
}

/// The server's answer: the state at an instant where nothing happens.
fn value(mut ledger: Ledger, at: Instant) -> Value {
    ledger.open_at(at);
    let opening = &ledger.metered.opening;
    let balances: BTreeMap<&String, Amount> = ledger
        .grant_ids
        .iter()
        .zip(&ledger.metered.grants)
        .zip(&opening.balances)
        .filter(|((_, grant), _)| grant.is_active_at(at))
        .map(|((id, _), balance)| (id, *balance))
        .collect();
    let balance: Amount = balances.values().copied().sum();
    json!({
        "hasAccess": ledger.metered.soft_limit || balance.is_positive(), "balance": balance,
        "usage": opening.usage, "overage": opening.overage,
        "totalAvailableGrantAmount": opening.grant_usage + balance, "grantBalances": balances,
    })
}

/// The meter's answer for the minutes from the value until now.
fn usage_answer(entitlement: &Entitlement, id: &str, from: Instant, at: Instant) -> Value {
    let events = entitlement.usage.iter().flat_map(|usage| &usage.events);
    let since = events.filter(|event| event.at.floor_second() >= from);
    let mut sums = BTreeMap::<Instant, Amount>::new();
    for event in since {
        *sums.entry(event.at.floor_minute()).or_default() += event.amount;
    }
    let row = |(start, amount): (Instant, Amount)| {
        json!({
            "value": amount, "windowStart": start.to_string(),
            "windowEnd": start.plus_millis(MINUTE_MS).to_string(), "groupBy": {},
        })
    };
    let data: Vec<Value> = sums.into_iter().map(row).collect();
    let to = Timestamp::from(at.floor_minute()).to_string();
    json!({ "entitlementId": id, "usage": {
        "from": from.to_string(), "to": to, "windowSize": "MINUTE", "data": data,
    } })
}

/// An id for a feature that depends on nothing but its key.
fn feature_id(key: &str) -> String {
    format!("01HF{:0>22}", key.to_uppercase().replace('_', "0"))
}

/// The files of an export.
struct Files {
    customers: Pages,
    features: Pages,
    meters: Pages,
    entitlements: Pages,
    grants: Pages,
    values: Lines,
    usage: Lines,
}

impl Files {
    fn new(folder: &Path) -> Result<Self, Failure> {
        let pages = |name| Pages { folder: folder.into(), name, items: Vec::new() };
        Ok(Self {
            customers: pages("customers"),
            features: pages("features"),
            meters: pages("meters"),
            entitlements: pages("entitlements"),
            grants: pages("grants"),
            values: Lines::new(folder.join("values.ndjson"))?,
            usage: Lines::new(folder.join("usage.ndjson"))?,
        })
    }

    fn finish(self) -> Result<(), Failure> {
        let pages = [self.customers, self.features, self.meters, self.entitlements, self.grants];
        pages.iter().try_for_each(Pages::write)?;
        self.values.finish()?;
        self.usage.finish()
    }
}

/// Pages as the server answers them, one file each.
struct Pages {
    folder: PathBuf,
    name: &'static str,
    items: Vec<Value>,
}

impl Pages {
    fn write(&self) -> Result<(), Failure> {
        for (index, items) in self.items.chunks(PAGE_SIZE).enumerate() {
            let number = index + 1;
            let path = self.folder.join(format!("{}-{number:04}.json", self.name));
            let page = json!({
                "page": number, "pageSize": PAGE_SIZE, "totalCount": self.items.len(),
                "items": items,
            });
            fs::write(&path, page.to_string()).map_err(|error| Failure::io(&path, &error))?;
        }
        Ok(())
    }
}

/// One answer a line.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn new(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(|error| Failure::io(&path, &error))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn push(&mut self, line: Value) -> Result<(), Failure> {
        writeln!(self.file, "{line}").map_err(|error| Failure::io(&self.path, &error))
    }

    fn finish(mut self) -> Result<(), Failure> {
        let flushed: io::Result<()> = self.file.flush();
        flushed.map_err(|error| Failure::io(&self.path, &error))
    }
}
