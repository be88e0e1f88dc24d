//! `edgegrant query`

mod lists;
mod records;
mod subject;

use std::collections::BTreeMap;
use std::path::PathBuf;

use edgegrant::gate::PolicySource;
use serde::Serialize;

use super::Outcome;
use super::gate::Trust;
use crate::compat::facts::Facts;
use crate::failure::{Exit, Failure};

/// Which entitlements, whose, and does it fit? Lists, and questions about several features at once.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    query: Query,
}

#[derive(Debug, clap::Subcommand)]
enum Query {
    Find(lists::Find),
    Entitled(lists::Entitled),
    Violations(lists::Violations),
    Expiring(lists::Expiring),
    Grants(subject::Grants),
    Fit(subject::FitArgs),
    Satisfies(subject::Satisfies),
    Catalogue(Catalogue),
    Records(Box<records::Args>),
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    match &args.query {
        Query::Find(args) => args.run(json),
        Query::Entitled(args) => args.run(json),
        Query::Violations(args) => args.run(json),
        Query::Expiring(args) => args.run(json),
        Query::Grants(args) => args.run(json),
        Query::Fit(args) => args.run(json),
        Query::Satisfies(args) => args.run(json),
        Query::Catalogue(args) => args.run(json),
        Query::Records(args) => records::run(args, json),
    }
}

/// Which features are there? Their keys, units and policies.
#[derive(Debug, clap::Args)]
struct Catalogue {
    /// Keys of features; all when absent.
    features: Vec<String>,
    #[command(flatten)]
    facts: FactFiles,
    #[command(flatten)]
    trust: Trust,
}

/// The facts beside a snapshot.
#[derive(Debug, clap::Args)]
struct FactFiles {
    /// A file of facts that was published, for what features have beside their keys, such as the
    /// class of a product. May be repeated.
    #[arg(long = "facts", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl FactFiles {
    fn read(&self) -> Result<Facts, Failure> {
        Facts::read(&self.files)
    }
}

/// What the facts say of a feature, if they say anything.
type Attributes = BTreeMap<String, String>;

/// The same in words, behind the feature's key.
fn described(attributes: Option<&Attributes>) -> String {
    let Some(attributes) = attributes else { return String::new() };
    let words = attributes.iter().map(|(name, value)| format!("{name} {value}"));
    format!(" ({})", words.collect::<Vec<_>>().join(", "))
}

#[derive(Serialize)]
struct FeaturesView {
    features: Vec<FeatureView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FeatureView {
    feature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    when_expired: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Attributes>,
}

impl Catalogue {
    fn run(&self, json: bool) -> Outcome {
        let named = Some(self.features.as_slice()).filter(|names| !names.is_empty());
        let facts = self.facts.read()?;
        let found = self.trust.gate()?.catalogue(named)?;
        let view = |found: edgegrant::gate::CatalogueFeature| FeatureView {
            attributes: facts.attributes(&found.feature).cloned(),
            feature: found.feature,
            unit: found.unit,
            when_expired: found.when_expired.as_str(),
            policy_source: (found.policy_source == PolicySource::Local).then_some("local"),
        };
        let features: Vec<_> = found.into_iter().map(view).collect();
        if json {
            super::print_json(&FeaturesView { features })?;
            return Ok(Exit::Ok);
        }
        for FeatureView { feature, unit, when_expired, attributes, .. } in features {
            let known = described(attributes.as_ref());
            let unit = unit.map_or(String::new(), |unit| format!(", in {unit}"));
            say!("{feature}{known}{unit}: {when_expired} once the snapshot has expired");
        }
        Ok(Exit::Ok)
    }
}
