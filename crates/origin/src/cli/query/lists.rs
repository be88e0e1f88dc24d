//! The queries that give lists.

use edgegrant::gate::{Clock, Filter, FoundEntitlement, Listed, Listing};
use edgegrant::{Amount, Instant};
use serde::Serialize;

use super::{Attributes, FactFiles, described};
use crate::cli::gate::{AnswerView, Asked, Trust};
use crate::cli::{Outcome, output, print_json};
use crate::failure::{Exit, Failure};

/// Which entitlements fit? Values of one option are alternatives; different options all count.
#[derive(Debug, clap::Args)]
pub(super) struct Find {
    #[command(flatten)]
    filters: Filters,
}

/// Which entitlements are used beyond what is granted?
#[derive(Debug, clap::Args)]
pub(super) struct Violations {
    #[command(flatten)]
    facts: FactFiles,
    #[command(flatten)]
    filters: Filters,
}

/// What ends soon: windows of entitlements, and grants with their amounts?
#[derive(Debug, clap::Args)]
pub(super) struct Expiring {
    /// Until when, inclusive. What ended before the instant that is asked for is not listed.
    #[arg(value_parser = output::instant)]
    before: Instant,
    #[command(flatten)]
    filters: Filters,
}

/// Which subjects are entitled to a feature?
#[derive(Debug, clap::Args)]
pub(super) struct Entitled {
    /// The key of the feature.
    feature: String,
    /// Only those that have access.
    #[arg(long)]
    access_only: bool,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    part: Part,
}

#[derive(Debug, clap::Args)]
struct Filters {
    #[command(flatten)]
    of: Asked,
    /// The id or an alias of a subject; any when absent. May be repeated, as the next two. A slice
    /// is opened by the first one.
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// The key of a feature.
    #[arg(long = "feature", value_name = "FEATURE")]
    features: Vec<String>,
    /// The id of a grant.
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    /// Only with access, or only without.
    #[arg(long)]
    access: Option<bool>,
    #[command(flatten)]
    part: Part,
}

/// Which part of a list. A slice gives all that its subject has at once.
#[derive(Debug, clap::Args)]
struct Part {
    /// The instant to answer for; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
    /// How many are listed at most, up to 1000.
    #[arg(long, default_value_t = Listing::LIMIT)]
    limit: usize,
    /// Go on behind an earlier part: its `next`.
    #[arg(long, value_name = "TOKEN")]
    after: Option<String>,
}

#[derive(Serialize)]
struct View<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct FoundView {
    subject: String,
    feature: String,
    #[serde(flatten)]
    answer: AnswerView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ViolationView {
    subject: String,
    feature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    overage: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<String>,
    /// Those of the feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Attributes>,
}

#[derive(Serialize)]
struct ExpiringView {
    subject: String,
    feature: String,
    ends: Vec<EndingView>,
}

/// The end of a grant, or of the window where no grant is named.
#[derive(Serialize)]
struct EndingView {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
}

impl Part {
    fn listing(&self, clock: Clock) -> Listing<'_> {
        let Self { at, limit, after } = self;
        Listing { clock, at: *at, limit: *limit, after: after.as_deref() }
    }
}

impl Filters {
    fn find(&self, over: bool, by: Option<Instant>) -> Result<Listed<FoundEntitlement>, Failure> {
        let stated = |names: &Vec<String>| Some(names.clone()).filter(|names| !names.is_empty());
        let filter = Filter {
            subjects: stated(&self.subjects),
            features: stated(&self.features),
            grants: stated(&self.grants),
            access: self.access,
            over,
            ending_by: by,
        };
        let subject = self.subjects.first().map_or("", String::as_str);
        Ok(self.of.open(subject)?.find(&filter, &self.part.listing(self.of.clock()))?)
    }
}

impl Find {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let view = |found: FoundEntitlement| FoundView {
            answer: AnswerView::from(&found.answer),
            subject: found.subject,
            feature: found.feature,
        };
        let line = |found: FoundEntitlement| {
            let yes = if found.answer.has_access { "access" } else { "no access" };
            let reason = found.answer.reason.as_str();
            format!("{} {}: {yes}, {reason}", found.subject, found.feature)
        };
        print(self.filters.find(false, None)?, json, view, line)
    }
}

impl Violations {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let facts = self.facts.read()?;
        let view = |found: FoundEntitlement| ViolationView {
            attributes: facts.attributes(&found.feature).cloned(),
            subject: found.subject,
            feature: found.feature,
            overage: found.answer.overage,
            grace_until: found.grace_until.map(|end| end.to_string()),
        };
        let line = |found: FoundEntitlement| {
            let FoundEntitlement { subject, feature, answer, grace_until, .. } = found;
            let overage = answer.overage.unwrap_or_default().to_string();
            let grace = grace_until.map_or(String::new(), |end| format!(", in grace until {end}"));
            let known = described(facts.attributes(&feature));
            format!("{subject} {feature}{known}: {overage} over{grace}")
        };
        print(self.filters.find(true, None)?, json, view, line)
    }
}

impl Expiring {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let view = |found: FoundEntitlement| ExpiringView {
            subject: found.subject,
            feature: found.feature,
            ends: found.ends.into_iter().map(EndingView::from).collect(),
        };
        let line = |found: FoundEntitlement| {
            let ends = found.ends.iter().map(|end| match &end.grant {
                Some((id, amount)) => format!(" grant {id} of {amount} at {}", end.at),
                None => format!(" it ends at {}", end.at),
            });
            let ends: Vec<_> = ends.collect();
            format!("{} {}:{}", found.subject, found.feature, ends.join(","))
        };
        print(self.filters.find(false, Some(self.before))?, json, view, line)
    }
}

impl Entitled {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let mut gate = self.trust.gate()?;
        let (feature, listing) = (&self.feature, self.part.listing(self.trust.clock()));
        let listed = gate.subjects_entitled_to(feature, self.access_only, &listing)?;
        print(listed, json, |subject| subject, |subject| subject)
    }
}

impl From<edgegrant::gate::Ending> for EndingView {
    fn from(end: edgegrant::gate::Ending) -> Self {
        let (grant, amount) = end.grant.unzip();
        Self { at: end.at.to_string(), grant, amount }
    }
}

fn print<T, V: Serialize>(
    listed: Listed<T>,
    json: bool,
    view: impl Fn(T) -> V,
    line: impl Fn(T) -> String,
) -> Outcome {
    let Listed { items, next } = listed;
    if json {
        print_json(&View { items: items.into_iter().map(view).collect(), next })?;
        return Ok(Exit::Ok);
    }
    for item in items {
        say!("{}", line(item));
    }
    if let Some(next) = next {
        say!("go on with --after {next}");
    }
    Ok(Exit::Ok)
}
