//! Subscriptions with their seats, and where they fall short.

use std::collections::{BTreeMap, HashSet};

use edgegrant::Amount;
use edgegrant::gate::{Answer, Reason};
use edgegrant::model::{Record, Subject};
use edgegrant::time::Timestamp;
use serde_json::Value;

use super::page::{Records, page};
use super::wire::{Json, Subscription, amount};
use super::{Asked, Refused, Reply, SYSTEM, organization};
use crate::compat::answer::number;
use crate::compat::facts::{records, typed};
use crate::compat::present::{Present, is_gone};
use crate::compat::world::Unavailable;

/// The key of seats that no sku is known of.
const ALL_SKUS: &str = "*";

/// Lists the subscriptions of organizations.
pub(super) fn list(present: &Present, asked: &Asked) -> Result<Reply, Refused> {
    let filter = Filter::new(asked)?;
    let mut listed: Records = Vec::new();
    for (id, record) in of_organizations(present, asked, "subscription")? {
        let subscription: Subscription = typed(record)?;
        let decisions = Decisions::new(present, &id)?;
        if !decisions.known {
            continue;
        }
        let mut json: Json = typed(record)?;
        decisions.renew(&mut json);
        if filter.takes(&subscription, &json) {
            listed.push((id, json));
        }
    }
    page(listed, asked)
}

/// Lists where subscriptions of organizations fall short, and until when that is borne.
pub(super) fn compliance(present: &Present, asked: &Asked) -> Result<Reply, Refused> {
    let mut listed = Vec::new();
    for (id, record) in of_organizations(present, asked, "compliance")? {
        let decisions = Decisions::new(present, &id)?;
        if !decisions.known {
            continue;
        }
        let mut json: Json = typed(record)?;
        if let Some(Value::Object(subscription)) = json.get_mut("subscription") {
            decisions.renew_status(subscription);
        }
        let classes = json.get_mut("violations").and_then(|all| all.get_mut("byProductClass"));
        if let Some(Value::Array(classes)) = classes {
            classes.retain_mut(|class| decisions.renew_violation(class));
        }
        listed.push(Value::Object(json));
    }
    Ok(Reply::whole(Value::Array(listed)))
}

/// The records of a kind of the organizations that are named, each with the id of its subscription,
/// of which each comes once.
fn of_organizations<'a>(
    present: &'a Present,
    asked: &Asked,
    kind: &'static str,
) -> Result<Vec<(String, &'a Record)>, Refused> {
    let organizations = asked.query.all("organizationIds[]");
    let organizations = organizations.ok_or_else(|| Refused::bad(ORGANIZATION_MISSING))?;
    let wanted = asked.query.all("subscriptionIds[]");
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for name in organizations {
        for record in records(&organization(present, name)?.records, SYSTEM, kind) {
            let json: Json = typed(record)?;
            let Some(id) = subscription_id(&json) else { continue };
            let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(&id));
            if is_wanted && seen.insert(id.to_owned()) {
                found.push((id.to_owned(), record));
            }
        }
    }
    Ok(found)
}

pub(super) fn subscription_id(json: &Json) -> Option<&str> {
    let id = json.get("subscriptionId");
    id.or_else(|| json.get("subscription")?.get("id"))?.as_str()
}

/// What the snapshot decides about a subscription, by sku.
struct Decisions {
    /// Whether the snapshot has it at all.
    known: bool,
    by_sku: BTreeMap<String, Answer>,
}

/// Seats of a sku now.
struct Seats {
    assigned: Amount,
    available: Amount,
    limit: Amount,
}

impl Decisions {
    fn new(present: &Present, id: &str) -> Result<Self, Unavailable> {
        let subject: Option<&Subject> = present.known().facts.subject(id);
        let entitlements = subject.into_iter().flat_map(|subject| &subject.entitlements);
        let decide = |key: &String| Ok((key.clone(), present.check(id, key)?));
        let by_sku: BTreeMap<String, Answer> =
            entitlements.map(|given| decide(&given.feature)).collect::<Result<_, Unavailable>>()?;
        let unknown = |answer: &Answer| answer.reason == Reason::UnknownSubject;
        let known = subject.is_some() && !by_sku.values().any(unknown);
        Ok(Self { known, by_sku })
    }

    /// Writes what holds now over what held when it was recorded.
    fn renew(&self, json: &mut Json) {
        self.renew_status(json);
        let changes = match json.get_mut("entitlements") {
            Some(Value::Array(lines)) => self.renew_lines(lines),
            _ => {
                let total = self.seats(ALL_SKUS).zip(total_mut(json));
                return total.into_iter().for_each(|(now, seats)| _ = now.write(seats));
            }
        };
        let Some(total) = total_mut(json) else { return };
        for (name, change) in changes {
            if let Some(figure) = total.get_mut(name).filter(|_| !change.is_zero()) {
                *figure = number(amount(figure).unwrap_or(Amount::ZERO) + change);
            }
        }
    }

    /// Ends and begins are the clock's.
    fn renew_status(&self, json: &mut Json) {
        let Some(Value::String(status)) = json.get_mut("status") else { return };
        let reasons = || self.by_sku.values().map(|answer| answer.reason);
        let has_ended = !self.by_sku.is_empty() && reasons().all(|reason| reason == Reason::Ended);
        let has_begun = reasons().any(|reason| !is_gone(reason) && reason != Reason::Suspended);
        match status.as_str() {
            "active" | "inactive" | "out_of_compliance" if has_ended => "expired",
            "inactive" if has_begun => "active",
            _ => return,
        }
        .clone_into(status);
    }

    /// Tells by how much each figure has changed in all. What stands on several lines stays as it
    /// is on each, since only their sum is known.
    fn renew_lines(&self, lines: &mut [Value]) -> BTreeMap<&'static str, Amount> {
        let sku = |line: &Value| line.get("sku").and_then(Value::as_str).map(str::to_owned);
        let skus: Vec<Option<String>> = lines.iter().map(sku).collect();
        let mut changes = BTreeMap::new();
        for (line, sku) in lines.iter_mut().zip(&skus) {
            let alone = skus.iter().filter(|other| *other == sku).count() == 1;
            let now = sku.as_deref().filter(|_| alone).and_then(|sku| self.seats(sku));
            let seats = line.get_mut("seats").and_then(Value::as_object_mut);
            let Some((now, seats)) = now.zip(seats) else { continue };
            for (name, change) in now.write(seats) {
                let sum = changes.entry(name).or_insert(Amount::ZERO);
                *sum += change;
            }
        }
        changes
    }

    fn seats(&self, sku: &str) -> Option<Seats> {
        let answer = self.by_sku.get(sku).filter(|answer| counts(answer))?;
        let (assigned, available) = answer.usage.zip(answer.balance)?;
        let overage = answer.overage.unwrap_or(Amount::ZERO);
        Some(Seats { assigned, available, limit: assigned - overage + available })
    }

    /// Writes what is missing now. Tells whether anything still is.
    fn renew_violation(&self, class: &mut Value) -> bool {
        let missing = class.get_mut("missing").and_then(|missing| missing.get_mut("entitlements"));
        let Some(Value::Array(missing)) = missing else { return true };
        let named = !missing.is_empty();
        missing.retain_mut(|short| self.renew_missing(short));
        !named || !missing.is_empty()
    }

    fn renew_missing(&self, short: &mut Value) -> bool {
        let sku = short.get("sku").and_then(Value::as_str).unwrap_or_default();
        let decided = self.by_sku.get(sku).filter(|answer| counts(answer));
        let Some(overage) = decided.and_then(|answer| answer.overage) else { return true };
        if let Some(quantity) = short.get_mut("quantity") {
            *quantity = number(overage);
        }
        !overage.is_zero()
    }
}

/// Whether the figures of a decision are those of something that is in force.
fn counts(answer: &Answer) -> bool {
    !is_gone(answer.reason) && answer.reason != Reason::Suspended
}

fn total_mut(json: &mut Json) -> Option<&mut Json> {
    json.get_mut("counts")?.get_mut("seats")?.as_object_mut()
}

impl Seats {
    /// Writes the figures that are there, and tells by how much each has changed.
    fn write(&self, seats: &mut Json) -> Vec<(&'static str, Amount)> {
        let Self { assigned, available, limit } = *self;
        let figures = [("assigned", assigned), ("available", available), ("limit", limit)];
        let mut changes = Vec::new();
        for (name, now) in figures {
            let Some(figure) = seats.get_mut(name) else { continue };
            let before = amount(figure).unwrap_or(now);
            if before != now {
                *figure = number(now);
                changes.push((name, now - before));
            }
        }
        changes
    }
}

/// Which subscriptions are wanted: those that fit everything that is stated, any value of a list.
struct Filter<'a> {
    statuses: Option<Vec<&'a str>>,
    product_types: Option<Vec<&'a str>>,
    skus: Option<Vec<&'a str>>,
    name: Option<String>,
    starts: Vec<Range>,
    ends: Vec<Range>,
}

impl<'a> Filter<'a> {
    fn new(asked: &'a Asked) -> Result<Self, Refused> {
        let statuses = asked.query.all("statuses[]");
        if statuses.iter().flatten().any(|status| !STATUSES.contains(status)) {
            return Err(Refused::bad(STATUS_UNKNOWN));
        }
        Ok(Self {
            statuses,
            product_types: asked.query.all("productTypes[]"),
            skus: asked.query.all("skus[]"),
            name: asked.query.one("name").map(str::to_lowercase),
            starts: Range::all(asked, "startDate")?,
            ends: Range::all(asked, "endDate")?,
        })
    }

    fn takes(&self, subscription: &Subscription, json: &Json) -> bool {
        let any = |wanted: &Option<Vec<&str>>, found: &[&str]| {
            wanted.as_ref().is_none_or(|wanted| found.iter().any(|found| wanted.contains(found)))
        };
        let within = |ranges: &[Range], date: Option<Timestamp>| {
            ranges.iter().all(|range| date.is_some_and(|date| range.takes(date)))
        };
        let Subscription { product_types, entitlements, .. } = subscription;
        let name = subscription.name.as_deref().unwrap_or_default().to_lowercase();
        let status: Vec<&str> = json.get("status").and_then(Value::as_str).into_iter().collect();
        let types: Vec<&str> = product_types.iter().flatten().map(String::as_str).collect();
        let lines = entitlements.iter().flatten();
        let skus: Vec<&str> = lines.filter_map(|line| line.sku.as_deref()).collect();
        any(&self.statuses, &status)
            && any(&self.product_types, &types)
            && any(&self.skus, &skus)
            && self.name.as_ref().is_none_or(|wanted| name.contains(wanted))
            && within(&self.starts, subscription.start_date)
            && within(&self.ends, subscription.end_date)
    }
}

/// A bound of a date: `startDate[gte]=…`, or `startDate=…` for that date itself.
struct Range {
    relation: Relation,
    date: Timestamp,
}

type Relation = fn(&Timestamp, &Timestamp) -> bool;

impl Range {
    fn all(asked: &Asked, name: &str) -> Result<Vec<Self>, Refused> {
        let given =
            asked.query.iter().filter_map(|(key, date)| Some((key.strip_prefix(name)?, date)));
        let range = |(option, date): (&str, &str)| {
            let relation = RELATIONS.iter().find(|(word, _)| *word == option);
            let (_, relation) = *relation.ok_or_else(|| Refused::bad(OPTION_UNKNOWN))?;
            // A date by itself is its midnight.
            let midnight = || Timestamp::parse(&format!("{date}T00:00:00Z"));
            let date = Timestamp::parse(date).or_else(|_| midnight());
            let date =
                date.map_err(|_| Refused::bad(format!("'{name}' must be an ISO 8601 date")))?;
            Ok(Self { relation, date })
        };
        given.map(range).collect()
    }

    fn takes(&self, date: Timestamp) -> bool {
        (self.relation)(&date, &self.date)
    }
}

const RELATIONS: [(&str, Relation); 6] = [
    ("", Timestamp::eq),
    ("[neq]", Timestamp::ne),
    ("[gt]", Timestamp::gt),
    ("[gte]", Timestamp::ge),
    ("[lt]", Timestamp::lt),
    ("[lte]", Timestamp::le),
];
const STATUSES: [&str; 5] = ["active", "canceled", "expired", "inactive", "out_of_compliance"];

const ORGANIZATION_MISSING: &str = "'organizationIds' is missing";
const STATUS_UNKNOWN: &str =
    "'statuses' must be of active, canceled, expired, inactive and out_of_compliance";
const OPTION_UNKNOWN: &str = "dates are compared by gt, gte, lt, lte and neq";
