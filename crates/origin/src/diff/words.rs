//! The fields of an entitlement in words.
//!
//! Only what somebody decided or used is told: what follows from it, like the state between two
//! boundaries, is not.

use std::collections::BTreeMap;

use edgegrant::engine::program::{Grant, Metered, Program, Rule, Stretch, Usage};
use edgegrant::snapshot::EntitlementRecord;
use edgegrant::{Amount, Instant, Recurrence};

use super::Field;

/// Fields that differ.
#[derive(Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    /// Keeps a field if it is not what it was.
    pub(super) fn compare(&mut self, field: &str, from: Option<String>, to: Option<String>) {
        if from != to {
            self.0.push(Field { field: field.to_owned(), from, to });
        }
    }

    fn switch(&mut self, field: &str, from: bool, to: bool) {
        let word = |on: bool| Some(if on { "yes" } else { "no" }.to_owned());
        self.compare(field, word(from), word(to));
    }

    fn instant(&mut self, field: &str, from: Option<Instant>, to: Option<Instant>) {
        let text = |instant: Option<Instant>| instant.map(|instant| instant.to_string());
        self.compare(field, text(from), text(to));
    }

    fn amount(&mut self, field: &str, from: Option<Amount>, to: Option<Amount>) {
        let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
        self.compare(field, text(from), text(to));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Fields> for Vec<Field> {
    fn from(fields: Fields) -> Self {
        fields.0
    }
}

/// How an entitlement differs from what it was.
pub(super) fn entitlement(was: &EntitlementRecord, is: &EntitlementRecord) -> Vec<Field> {
    let mut fields = Fields::default();
    let (before, after) = (&was.program, &is.program);
    fields.compare("type", Some(kind(before)), Some(kind(after)));
    fields.switch("suspended", before.suspended, after.suspended);
    fields.instant("active from", before.active_from, after.active_from);
    fields.instant("active to", before.active_to, after.active_to);
    fields.instant("grace until", before.grace_until, after.grace_until);
    fields.compare("config", was.config.clone(), is.config.clone());
    let (before, after) = (metered(before), metered(after));
    rules(&mut fields, before, after);
    usage(&mut fields, before, after);
    let grants_of = |rule: Option<&Metered>, ids: &[String]| -> BTreeMap<String, (Grant, Amount)> {
        let Some(rule) = rule else { return BTreeMap::new() };
        let balances = rule.opening.balances.iter().copied();
        ids.iter().cloned().zip(rule.grants.iter().copied().zip(balances)).collect()
    };
    let (mut given, now_given) =
        (grants_of(before, &was.grant_ids), grants_of(after, &is.grant_ids));
    if !opened_alike(before, after) {
        for (id, (_, left)) in &mut given {
            *left = now_given.get(id).map_or(*left, |(_, left)| *left);
        }
    }
    grants(&mut fields, given, now_given);
    fields.into()
}

fn kind(program: &Program) -> String {
    let name = match program.rule {
        Rule::Boolean => "boolean",
        Rule::Static => "static",
        Rule::Metered(_) => "metered",
    };
    name.to_owned()
}

const fn metered(program: &Program) -> Option<&Metered> {
    match &program.rule {
        Rule::Metered(metered) => Some(metered),
        Rule::Boolean | Rule::Static => None,
    }
}

fn rules(fields: &mut Fields, before: Option<&Metered>, after: Option<&Metered>) {
    let unlimited = |rule: Option<&Metered>| rule.is_some_and(|rule| rule.unlimited);
    fields.switch("unlimited", unlimited(before), unlimited(after));
    let soft = |rule: Option<&Metered>| rule.is_some_and(|rule| rule.soft_limit);
    fields.switch("soft limit", soft(before), soft(after));
    let keeps = |rule: Option<&Metered>| rule.is_some_and(|rule| rule.timeline.preserve_overage);
    fields.switch("overage outlives resets", keeps(before), keeps(after));
    let resets = |rule: Option<&Metered>| {
        let stretches = &rule?.timeline.stretches;
        Some(stretches.iter().map(stretch).collect::<Vec<_>>().join("; "))
    };
    fields.compare("resets", resets(before), resets(after));
}

fn stretch(stretch: &Stretch) -> String {
    let grid = stretch.grid.map_or("never".to_owned(), |grid| every(&grid));
    let keeps = if stretch.preserve_overage { ", keeping overage" } else { "" };
    format!("{grid} from {}{keeps}", stretch.from)
}

fn every(recurrence: &Recurrence) -> String {
    format!("every {} on {}", recurrence.interval, recurrence.anchor)
}

fn usage(fields: &mut Fields, before: Option<&Metered>, after: Option<&Metered>) {
    let text = |rule: Option<&Metered>| {
        Some(match rule?.usage {
            Usage::Flow { since_opening } => {
                let opening = &rule?.opening;
                (opening.usage + since_opening).to_string()
            }
            Usage::Level { in_use } => format!("{in_use} in use"),
            Usage::Unknown => "unknown".to_owned(),
            Usage::Value { balance, usage, overage } => {
                format!("{usage}, balance {balance}, overage {overage}")
            }
        })
    };
    fields.compare("usage", text(before), text(after));
    let period = |rule: Option<&Metered>| Some(rule?.opening.period_start);
    fields.instant("period of usage from", period(before), period(after));
    if opened_alike(before, after) {
        let overage = |rule: Option<&Metered>| Some(rule?.opening.overage);
        fields.amount("overage at the opening", overage(before), overage(after));
    }
}

/// Whether both are told from the same instant, so that what was left then can be compared.
fn opened_alike(before: Option<&Metered>, after: Option<&Metered>) -> bool {
    let at = |rule: Option<&Metered>| rule.map(|rule| rule.opening.at);
    at(before) == at(after)
}

type Grants = BTreeMap<String, (Grant, Amount)>;

fn grants(fields: &mut Fields, mut before: Grants, after: Grants) {
    for (id, (grant, balance)) in after {
        let name = |what: &str| format!("grant {id}: {what}");
        let Some((was, was_left)) = before.remove(&id) else {
            fields.compare(&format!("grant {id}"), None, Some(grant.amount.to_string()));
            continue;
        };
        let (one, other) = (Some(was.amount), Some(grant.amount));
        fields.amount(&name("amount"), one, other);
        let priority = |grant: &Grant| Some(grant.priority.to_string());
        fields.compare(&name("priority"), priority(&was), priority(&grant));
        let begins = |grant: &Grant| Some(grant.effective_at);
        fields.instant(&name("effective at"), begins(&was), begins(&grant));
        fields.instant(&name("expires at"), was.expires_at, grant.expires_at);
        fields.instant(&name("voided at"), was.voided_at, grant.voided_at);
        fields.instant(&name("deleted at"), was.deleted_at, grant.deleted_at);
        let refills = |grant: &Grant| grant.recurrence.as_ref().map(every);
        fields.compare(&name("refilled"), refills(&was), refills(&grant));
        let (one, other) = (Some(was.min_rollover), Some(grant.min_rollover));
        fields.amount(&name("least rollover"), one, other);
        let (one, other) = (Some(was.max_rollover), Some(grant.max_rollover));
        fields.amount(&name("most rollover"), one, other);
        fields.amount(&name("left at the opening"), Some(was_left), Some(balance));
    }
    for (id, (grant, _)) in before {
        fields.compare(&format!("grant {id}"), Some(grant.amount.to_string()), None);
    }
}
