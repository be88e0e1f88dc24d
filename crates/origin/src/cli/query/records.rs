//! `edgegrant query records`

mod condition;

use std::collections::BTreeMap;
use std::path::PathBuf;

use edgegrant::Instant;
use edgegrant::gate::{Ask, Gate};
use edgegrant::model::{Feature, Record, Subject};
use serde::Serialize;
use serde_json::Value;

use self::condition::Condition;
use crate::cli::gate::Trust;
use crate::cli::{Outcome, output, print_json};
use crate::compat::facts::{Facts, typed};
use crate::failure::{Exit, Failure};
use crate::select::{Json, Order, column};

/// What did sources say? Their records as they came, each with what the gate answers now about the
/// subject and the feature that it is about. A record that is about two subjects is listed for
/// each.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    trust: Trust,
    /// A file of facts that was published. May be repeated, as the next five.
    #[arg(long = "facts", value_name = "FILE", required = true)]
    facts: Vec<PathBuf>,
    /// The id or an alias of a subject; any when absent.
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// The key of a feature.
    #[arg(long = "feature", value_name = "FEATURE")]
    features: Vec<String>,
    /// The system that said it, such as alert-logic.
    #[arg(long = "system", value_name = "SYSTEM")]
    systems: Vec<String>,
    /// What kind of record it is there, such as subscription.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// A condition on a field: name=text, or with !=, <, <=, >, >= or ~ (contains, in any case).
    /// Several texts that one field is to be equal to are alternatives. A dot goes into an object,
    /// and into each item of a list. What a record lacks is looked for among the attributes of its
    /// entitlement and of its subject.
    #[arg(long = "where", value_name = "CONDITION", value_parser = Condition::parse)]
    conditions: Vec<Condition>,
    /// Only what gives access, or only what does not.
    #[arg(long)]
    access: Option<bool>,
    /// Only these fields of a record: id,status,…
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    include: Vec<String>,
    /// The field to order by; what lacks it comes last. By subject when absent.
    #[arg(long, value_name = "FIELD")]
    order_by: Option<String>,
    /// The largest comes first.
    #[arg(long, requires = "order_by")]
    descending: bool,
    /// How many are left out before the first.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// How many are listed at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The instant to answer for; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

#[derive(Serialize)]
struct View<'a> {
    items: Vec<ItemView<'a>>,
    /// How many there are in all.
    count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
    system: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    record: Json,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let facts = Facts::read(&args.facts)?;
    let gate = args.trust.gate()?;
    let mut found = args.found(&facts, &gate)?;
    if let Some(field) = &args.order_by {
        let order = Order { field, descending: args.descending };
        found.sort_by(|one, other| order.of(&one.json, &other.json));
    }
    let count = found.len();
    let page = found.into_iter().skip(args.skip).take(args.limit);
    let items: Vec<ItemView<'_>> = page.map(|item| args.view(item, &gate)).collect();
    if json {
        print_json(&View { items, count })?;
        return Ok(Exit::Ok);
    }
    for ItemView { subject, kind, reason, record, .. } in &items {
        let subject = subject.map_or(String::new(), |subject| format!("{subject} "));
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        say!("{subject}{kind}{reason}: {}", Value::Object(record.clone()));
    }
    say!("{} of {count}", items.len());
    Ok(Exit::Ok)
}

/// A record, and what is known beside it.
struct Item<'a> {
    subject: Option<&'a Subject>,
    record: &'a Record,
    feature: Option<&'a str>,
    json: Json,
}

type Attributes = BTreeMap<String, String>;

impl Args {
    fn found<'a>(&self, facts: &'a Facts, gate: &Gate) -> Result<Vec<Item<'a>>, Failure> {
        let mut found = Vec::new();
        let all_subjects = facts.subjects().iter().filter(|subject| self.is_wanted(subject));
        for subject in all_subjects {
            for record in &subject.records {
                let entitled = subject
                    .entitlements
                    .iter()
                    .find(|given| Some(given.feature.as_str()) == record.feature.as_deref());
                let known = [entitled.map(|given| &given.attributes), Some(&subject.attributes)];
                let feature = record.feature.as_deref();
                let item = Item { subject: Some(subject), record, feature, json: typed(record)? };
                found.extend(self.takes(&item, &known, gate).then_some(item));
            }
        }
        let of_features =
            |feature: &&Feature| self.subjects.is_empty() && !feature.records.is_empty();
        for feature in facts.features().filter(of_features) {
            for record in &feature.records {
                let known = [Some(&feature.attributes), None];
                let key = Some(feature.feature.as_str());
                let item = Item { subject: None, record, feature: key, json: typed(record)? };
                found.extend(self.takes(&item, &known, gate).then_some(item));
            }
        }
        Ok(found)
    }

    fn is_wanted(&self, subject: &Subject) -> bool {
        let mut names = std::iter::once(&subject.subject).chain(&subject.aliases);
        self.subjects.is_empty() || names.any(|name| self.subjects.contains(name))
    }

    fn takes(&self, item: &Item<'_>, known: &[Option<&Attributes>; 2], gate: &Gate) -> bool {
        let Record { system, kind, .. } = item.record;
        let any = |wanted: &[String], said: Option<&str>| {
            wanted.is_empty() || said.is_some_and(|said| wanted.iter().any(|one| one == said))
        };
        any(&self.systems, Some(system))
            && any(&self.kinds, Some(kind))
            && any(&self.features, item.feature)
            && condition::fits(&self.conditions, &item.json, known)
            && self.access.is_none_or(|access| {
                self.decide(item, gate).is_some_and(|(has_access, _)| has_access == access)
            })
    }

    /// What the gate answers, where a record is about a feature of a subject.
    fn decide(&self, item: &Item<'_>, gate: &Gate) -> Option<(bool, &'static str)> {
        let (subject, feature) = (&item.subject?.subject, item.feature?);
        let (clock, at) = (self.trust.clock(), self.at);
        let answer = gate.check(&Ask { subject, feature, clock, at, amount: None, used: None });
        Some((answer.has_access, answer.reason.as_str()))
    }

    fn view<'a>(&self, item: Item<'a>, gate: &Gate) -> ItemView<'a> {
        let (has_access, reason) = self.decide(&item, gate).unzip();
        let Item { subject, record: Record { system, kind, .. }, feature, json } = item;
        let subject = subject.map(|subject| subject.subject.as_str());
        ItemView { subject, feature, system, kind, has_access, reason, record: self.project(json) }
    }

    /// The fields that are asked for; what a record lacks is null.
    fn project(&self, json: Json) -> Json {
        if self.include.is_empty() {
            return json;
        }
        let said = |name: &String| (name.clone(), column(&json, name).cloned().unwrap_or_default());
        self.include.iter().map(said).collect()
    }
}
