//! `edgegrant query`

mod lists;
mod subject;

use edgegrant::gate::PolicySource;
use serde::Serialize;

use super::Outcome;
use super::gate::Trust;
use crate::failure::Exit;

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
    }
}

/// Which features are there? Their keys, units and policies.
#[derive(Debug, clap::Args)]
struct Catalogue {
    /// Keys of features; all when absent.
    features: Vec<String>,
    #[command(flatten)]
    trust: Trust,
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
}

impl Catalogue {
    fn run(&self, json: bool) -> Outcome {
        let named = Some(self.features.as_slice()).filter(|names| !names.is_empty());
        let found = self.trust.gate()?.catalogue(named)?;
        let view = |found: edgegrant::gate::CatalogueFeature| FeatureView {
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
        for FeatureView { feature, unit, when_expired, .. } in features {
            let unit = unit.map_or(String::new(), |unit| format!(", in {unit}"));
            say!("{feature}{unit}: {when_expired} once the snapshot has expired");
        }
        Ok(Exit::Ok)
    }
}
