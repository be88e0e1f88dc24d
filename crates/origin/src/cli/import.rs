//! `edgegrant import`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use edgegrant::model::Fact;
use edgegrant::{Instant, Interval};

use super::{Outcome, output};
use crate::facts::{Checker, Entry};
use crate::failure::{Exit, Failure};
use crate::pull::begun_at;
use crate::sources::{
    Ends, Notes, alert_logic, answers, astra, aws_marketplace, meraki, openmeter,
};

/// Turn what another system exports into facts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    Openmeter(OpenMeter),
    AwsMarketplace(AwsMarketplace),
    AlertLogic(AlertLogic),
    Meraki(Meraki),
    Astra(Astra),
}

/// From the answers of OpenMeter's API, versions 1 and 2.
///
/// A folder holds customers.json, features.json, meters.json, entitlements.json, grants.json (pages
/// or arrays as the server answers; several files as grants-2.json or grants/…), values.ndjson with
/// {"entitlementId", "time", "value"} and usage.ndjson with {"entitlementId" or "featureKey",
/// "usage"}, where `value` and `usage` are the answers themselves.
#[derive(Debug, clap::Args)]
struct OpenMeter {
    #[command(flatten)]
    given: Given,
    /// Count the usage of subscriptions as it is: no rate card converts units.
    #[arg(long)]
    trust_units: bool,
}

/// From the pages that AWS Marketplace's GetEntitlements answers, of one or more products.
#[derive(Debug, clap::Args)]
struct AwsMarketplace {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    ends: EndOptions,
}

/// From Alert Logic's lists of an account's entitlements and subscriptions, of any number of
/// accounts.
#[derive(Debug, clap::Args)]
struct AlertLogic {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    ends: EndOptions,
    /// Let what is canceled be used until its end date.
    #[arg(long)]
    canceled_runs_to_end: bool,
    /// Of several records about a product family, let one that is usable be enough; otherwise the
    /// one with the latest end date decides.
    #[arg(long)]
    any_active: bool,
}

/// From the answers of the Cisco Meraki dashboard about subscriptions, their compliance, the
/// catalogue of skus, and licences.
#[derive(Debug, clap::Args)]
struct Meraki {
    #[command(flatten)]
    given: Given,
    /// The organization that bodies are about, where neither they nor their requests say it.
    #[arg(long)]
    organization: Option<String>,
    /// Deny what is past its end date, also where the source lists it as usable.
    #[arg(long)]
    strict_end_dates: bool,
    /// Put end dates off so long: an ISO 8601 duration without months, or 0.
    #[arg(long, value_parser = grace, default_value = "0")]
    renewal_grace: u64,
}

/// From NetApp Astra Control's entitlements, licences and subscriptions of an account.
#[derive(Debug, clap::Args)]
struct Astra {
    #[command(flatten)]
    given: Given,
    /// The account that bodies are about whose requests are not known.
    #[arg(long)]
    account: Option<String>,
    /// The fields that entitlements were asked for with, in that order, where their requests are
    /// not known: id,product,…
    #[arg(long, value_delimiter = ',')]
    include: Vec<String>,
}

/// How end dates are taken that move forward on renewal.
#[derive(Debug, clap::Args)]
struct EndOptions {
    /// Deny what is past its end date, also where the source lists it as usable.
    #[arg(long)]
    strict_end_dates: bool,
    /// Put end dates off so long that a renewal arrives before them: an ISO 8601 duration without
    /// months, or 0.
    #[arg(long, value_parser = grace, default_value = "PT24H")]
    renewal_grace: u64,
}

impl EndOptions {
    const fn ends(&self, at: Instant) -> Ends {
        Ends { at, strict: self.strict_end_dates, renewal_grace: self.renewal_grace }
    }
}

/// Milliseconds of a grace.
pub(super) fn grace(text: &str) -> Result<u64, edgegrant::Error> {
    const CALENDAR: edgegrant::Error =
        edgegrant::Error::new("grace-in-months", "months have no length; give days or hours");
    if text == "0" {
        return Ok(0);
    }
    let interval = Interval::parse(text)?;
    if (interval.years(), interval.months()) == (0, 0) {
        Ok(interval.millis())
    } else {
        Err(CALENDAR)
    }
}

/// What every import is told.
#[derive(Debug, clap::Args)]
struct Given {
    /// Folders and files of an export.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Where the facts go; `-` is standard output.
    #[arg(long, short, default_value = "-")]
    out: PathBuf,
    /// When the export was made; when absent, as a pull noted in its folder, else now.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

impl Given {
    fn at(&self) -> Instant {
        let noted = || self.paths.iter().filter_map(|path| begun_at(path)).min();
        self.at.or_else(noted).unwrap_or_else(output::now)
    }
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let mut notes = Notes::default();
    match &args.source {
        Source::Openmeter(OpenMeter { given, trust_units }) => {
            let options = openmeter::Options { at: given.at(), trust_units: *trust_units };
            let facts = openmeter::import(&given.paths, &options, &mut notes)?;
            finish(facts, &notes, given, json)
        }
        Source::AwsMarketplace(AwsMarketplace { given, ends }) => {
            let answers = answers::read(&given.paths)?;
            let facts = aws_marketplace::import(&answers, &ends.ends(given.at()), &mut notes)?;
            finish(facts, &notes, given, json)
        }
        Source::AlertLogic(AlertLogic { given, ends, canceled_runs_to_end, any_active }) => {
            let options = alert_logic::Options {
                ends: ends.ends(given.at()),
                canceled_runs_to_end: *canceled_runs_to_end,
                any_active: *any_active,
            };
            let answers = answers::read(&given.paths)?;
            let facts = alert_logic::import(&answers, &options, &mut notes)?;
            finish(facts, &notes, given, json)
        }
        Source::Meraki(args) => import_meraki(args, &mut notes, json),
        Source::Astra(Astra { given, account, include }) => {
            let (account, include) = (account.clone(), include.clone());
            let options = astra::Options { at: given.at(), account, include };
            let facts = astra::import(&answers::read(&given.paths)?, &options, &mut notes)?;
            finish(facts, &notes, given, json)
        }
    }
}

fn import_meraki(args: &Meraki, notes: &mut Notes, json: bool) -> Outcome {
    let Meraki { given, organization, strict_end_dates: strict, renewal_grace } = args;
    let ends = Ends { at: given.at(), strict: *strict, renewal_grace: *renewal_grace };
    let options = meraki::Options { organization: organization.clone(), ends };
    let facts = meraki::import(&answers::read(&given.paths)?, &options, notes)?;
    finish(facts, notes, given, json)
}

fn finish(facts: impl Iterator<Item = Fact>, notes: &Notes, given: &Given, json: bool) -> Outcome {
    deliver(facts, notes, given.at(), &given.out, json)
}

/// Shows the notes, and writes the facts unless there is an error among them.
pub(super) fn deliver(
    facts: impl Iterator<Item = Fact>,
    notes: &Notes,
    at: Instant,
    out: &Path,
    json: bool,
) -> Outcome {
    show(notes, json);
    if notes.errors() > 0 {
        let message = format!("{} records cannot be answered for; see above", notes.errors());
        return Err(Failure::bad_input("import-refused", message));
    }
    write(facts, at, out)
}

/// Writes facts that the reader would accept, or nothing.
pub(super) fn write(facts: impl Iterator<Item = Fact>, at: Instant, out: &Path) -> Outcome {
    let mut checker = Checker::default();
    let mut pending = output::Pending::new(out)?;
    for fact in facts {
        let compiled = checker.check(&fact).and_then(|()| Entry::new(fact.clone(), at));
        let checked = compiled.and_then(|entry| checker.admit(&entry));
        if let Err(problem) = checked {
            return Err(refused(&fact, &problem.path, problem.code, &problem.message));
        }
        pending.line(&fact)?;
    }
    pending.finish()?;
    Ok(Exit::Ok)
}

/// Names the record in the source, since there is no line yet.
fn refused(fact: &Fact, path: &str, code: String, message: &str) -> Failure {
    let index = path.strip_prefix("entitlements[").and_then(|rest| rest.split_once(']'));
    let record = match (fact, index.and_then(|(index, _)| index.parse::<usize>().ok())) {
        (Fact::Subject(subject), Some(index)) => {
            let source = subject.entitlements.get(index).and_then(|given| given.source.as_ref());
            source.map_or("an entitlement", |source| &source.id)
        }
        _ => "a record",
    };
    Failure::bad_input(code, format!("{record}: {path}: {message}"))
}

fn show(notes: &Notes, json: bool) {
    for note in notes.all() {
        if json {
            eprintln!("{}", serde_json::json!({ "note": note }));
        } else {
            eprintln!("{note}");
        }
    }
    if notes.dropped() > 0 {
        eprintln!("{} more notes are not shown", notes.dropped());
    }
}
