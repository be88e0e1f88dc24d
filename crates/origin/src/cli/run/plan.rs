//! What is pulled, and where it goes.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf, absolute};

use edgegrant::Interval;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::cli::callers::System;
use crate::cli::import::grace;
use crate::failure::Failure;

/// A plan, as a file says it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Plan {
    /// Whom the snapshot is for.
    pub(super) audience: String,
    /// The folder that is published into.
    pub(super) folder: PathBuf,
    /// The folder in which answers and facts are kept between rounds.
    pub(super) work: PathBuf,
    /// How long to wait between rounds; five minutes when absent.
    pub(super) every: Option<Interval>,
    /// As the options of `publish`.
    pub(super) stale_after: Option<Interval>,
    pub(super) expires_after: Option<Interval>,
    pub(super) dead_after: Option<Interval>,
    /// Files of facts by hand, which come before all sources.
    #[serde(default)]
    pub(super) facts: Vec<PathBuf>,
    #[serde(default)]
    pub(super) sources: Vec<SourcePlan>,
}

/// One source.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SourcePlan {
    /// What it is called here, and its folder below the work folder.
    pub(super) name: String,
    pub(super) source: System,
    /// Product codes, organization ids or account ids, whatever the system sorts by.
    /// OpenMeter is asked for everything.
    #[serde(default)]
    pub(super) ids: Vec<String>,
    pub(super) endpoint: Option<String>,
    /// Stands before the names of variables with secrets, where two sources are of one system.
    #[serde(default)]
    pub(super) environment_prefix: String,
    #[serde(default)]
    pub(super) strict_end_dates: bool,
    pub(super) renewal_grace: Option<Grace>,
    /// AWS Marketplace: the region that requests are signed for.
    pub(super) region: Option<String>,
    /// Alert Logic: as the options of `import`.
    #[serde(default)]
    pub(super) canceled_runs_to_end: bool,
    #[serde(default)]
    pub(super) any_active: bool,
    /// OpenMeter: as the option of `import`.
    #[serde(default)]
    pub(super) trust_units: bool,
}

/// Milliseconds of a grace, as the option of `import` says them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grace(pub(super) u64);

impl<'de> Deserialize<'de> for Grace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        grace(&text).map(Self).map_err(|error| {
            D::Error::custom(format_args!("[{}] {}", error.code(), error.message()))
        })
    }
}

impl Plan {
    /// Finds what cannot be meant.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mut names = HashSet::new();
        for source in &self.sources {
            let name = &source.name;
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(plain) || !names.insert(name) {
                let message = "the name of a source is given twice or is no plain word";
                return Err(Failure::bad_input("plan-name", message));
            }
            source.check()?;
        }
        if self.every.is_some_and(|every| (every.years(), every.months()) != (0, 0)) {
            let message = "a pause in months has no length; give days or hours";
            return Err(Failure::bad_input("plan-every", message));
        }
        if resolved(&self.work)?.starts_with(resolved(&self.folder)?) {
            let message = "the work folder is in the published one, where others read; move it";
            return Err(Failure::bad_input("plan-work", message));
        }
        if self.facts.is_empty() && self.sources.is_empty() {
            let message = "the plan has neither facts nor sources; name one";
            return Err(Failure::bad_input("plan-empty", message));
        }
        Ok(())
    }
}

/// A path as the disk takes it, also where nothing is there yet.
fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::io(path, &error);
    let mut whole = PathBuf::new();
    for part in absolute(path).map_err(failed)?.components() {
        if part == Component::ParentDir {
            whole.pop();
            continue;
        }
        whole.push(part);
        whole = whole.canonicalize().unwrap_or(whole);
    }
    Ok(whole)
}

/// An interval that is given, or the usual one.
pub(super) fn or(given: Option<Interval>, usual: &str) -> Result<Interval, Failure> {
    given.map_or_else(|| Ok(Interval::parse(usual)?), Ok)
}

impl SourcePlan {
    fn check(&self) -> Result<(), Failure> {
        let refused = |code: &str, what: &str| {
            Err(Failure::bad_input(code, format!("{}: {what}", self.name)))
        };
        if self.ids.is_empty() != (self.source == System::Openmeter) {
            return refused("plan-ids", "name the ids to ask for, and none for openmeter");
        }
        let has_ends = !matches!(self.source, System::Astra | System::Openmeter);
        if (self.strict_end_dates || self.renewal_grace.is_some()) && !has_ends {
            return refused("plan-option", "its ends are kept as they are; leave the option out");
        }
        if self.region.is_some() && self.source != System::AwsMarketplace {
            return refused("plan-option", "only aws-marketplace has a region");
        }
        if self.trust_units && self.source != System::Openmeter {
            return refused("plan-option", "only openmeter has units to trust");
        }
        if (self.canceled_runs_to_end || self.any_active) && self.source != System::AlertLogic {
            return refused("plan-option", "only alert-logic has such an option");
        }
        Ok(())
    }
}
