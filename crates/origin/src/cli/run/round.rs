//! One round: pull, import, merge, publish.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use edgegrant::Instant;
use edgegrant::trust::SecretKey;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::plan::{Grace, Plan, SourcePlan, or};
use crate::cli::callers::{Caller, System, Wanted};
use crate::cli::import::{deliver, write};
use crate::cli::output;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::merge::Merge;
use crate::publish::{self, Options, Published, Terms};
use crate::pull::{begun_at, pull};
use crate::sources::{
    Ends, Notes, alert_logic, answers, astra, aws_marketplace, meraki, openmeter,
};

/// What came of a round.
pub(super) struct Round {
    pub(super) sources: Vec<SourceOutcome>,
    pub(super) published: Result<Published, Failure>,
}

/// What came of a source.
pub(super) struct SourceOutcome {
    pub(super) name: String,
    /// Why its facts are those of an earlier round.
    pub(super) failure: Option<Failure>,
    pub(super) subjects: u64,
}

impl Round {
    pub(super) fn as_json(&self) -> Value {
        let error = |failure: &Failure| json!({ "code": failure.code, "message": failure.message });
        let source = |source: &SourceOutcome| {
            json!({ "name": source.name, "subjects": source.subjects,
                    "error": source.failure.as_ref().map(error) })
        };
        let sources: Vec<Value> = self.sources.iter().map(source).collect();
        match &self.published {
            Ok(published) => json!({ "sources": sources, "published": published }),
            Err(failure) => json!({ "sources": sources, "error": error(failure) }),
        }
    }
}

pub(super) fn play(plan: &Plan, keys: &[SecretKey], allow_shrink: bool, json: bool) -> Round {
    let now = output::now();
    let outcome = |source: &SourcePlan| {
        let folder = plan.work.join(&source.name);
        let failure = refresh(source, &folder, now, allow_shrink, json).err();
        let subjects = counted(&folder.join(FACTS)).map_or(0, |counted| counted.subjects);
        SourceOutcome { name: source.name.clone(), failure, subjects }
    };
    let sources = plan.sources.iter().map(outcome).collect();
    // Sources may have taken their time, and a head is dated when it is signed.
    Round { sources, published: publish(plan, keys, output::now(), allow_shrink) }
}

/// The renewal grace of `import` where ends move forward on renewal.
const DAY_MS: u64 = 86_400_000;
const FACTS: &str = "facts.ndjson";
const NEW_FACTS: &str = "facts.new.ndjson";

/// Brings the facts of a source up to date, or leaves them.
fn refresh(
    source: &SourcePlan,
    folder: &Path,
    now: Instant,
    allow_shrink: bool,
    json: bool,
) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::io(folder, &error))?;
    let (new, facts) = (folder.join(NEW_FACTS), folder.join(FACTS));
    let answers = folder.join("answers");
    fetch(source, &answers, now)?;
    // An earlier round may have begun the pull; what it says was so then.
    import(source, &answers, begun_at(&answers).unwrap_or(now), &new, json)?;
    let before = if facts.exists() { counted(&facts)? } else { Counted::default() };
    if !allow_shrink && counted(&new)?.has_shrunk_from(&before) {
        let message = "more than half of its subjects or of their entitlements are gone; check \
                       the source, or say --once --allow-shrink";
        return Err(Failure::bad_input("source-shrunk", message));
    }
    fs::rename(&new, &facts).map_err(|error| Failure::io(&new, &error))
}

fn fetch(source: &SourcePlan, folder: &Path, now: Instant) -> Result<(), Failure> {
    let wanted = Wanted {
        system: source.source,
        ids: &source.ids,
        endpoint: source.endpoint.as_deref(),
        region: source.region.as_deref(),
        prefix: &source.environment_prefix,
    };
    let Caller { api, endpoint } = wanted.caller()?;
    pull(api.as_ref(), &endpoint, folder, now, |_| ()).map(|_| ())
}

fn import(
    source: &SourcePlan,
    answers: &Path,
    at: Instant,
    out: &Path,
    json: bool,
) -> Result<Exit, Failure> {
    let mut notes = Notes::default();
    let folder = [answers.to_owned()];
    let answers = || answers::read(&folder);
    let ends = |usual| {
        let renewal_grace = source.renewal_grace.map_or(usual, |Grace(millis)| millis);
        Ends { at, strict: source.strict_end_dates, renewal_grace }
    };
    match source.source {
        System::AwsMarketplace => {
            let facts = aws_marketplace::import(&answers()?, &ends(DAY_MS), &mut notes)?;
            deliver(facts, &notes, at, out, json)
        }
        System::Astra => {
            let options = astra::Options { at, account: None, include: Vec::new() };
            let facts = astra::import(&answers()?, &options, &mut notes)?;
            deliver(facts, &notes, at, out, json)
        }
        System::Meraki => {
            let options = meraki::Options { organization: None, ends: ends(0) };
            let facts = meraki::import(&answers()?, &options, &mut notes)?;
            deliver(facts, &notes, at, out, json)
        }
        System::Openmeter => {
            let options = openmeter::Options { at, trust_units: source.trust_units };
            let facts = openmeter::import(&folder, &options, &mut notes)?;
            deliver(facts, &notes, at, out, json)
        }
        System::AlertLogic => {
            let options = alert_logic::Options {
                ends: ends(DAY_MS),
                canceled_runs_to_end: source.canceled_runs_to_end,
                any_active: source.any_active,
            };
            let facts = alert_logic::import(&answers()?, &options, &mut notes)?;
            deliver(facts, &notes, at, out, json)
        }
    }
}

/// What a file of facts has.
#[derive(Default)]
struct Counted {
    subjects: u64,
    entitlements: u64,
}

impl Counted {
    /// A list that is suddenly empty may take the subjects with it, or what they are entitled to.
    const fn has_shrunk_from(&self, before: &Self) -> bool {
        publish::has_shrunk(before.subjects, self.subjects)
            || publish::has_shrunk(before.entitlements, self.entitlements)
    }
}

#[derive(Deserialize)]
struct Entitled {
    #[serde(default)]
    entitlements: Vec<IgnoredAny>,
}

/// Counts what is in a file that was written here, with the kind of a line in front.
fn counted(facts: &Path) -> Result<Counted, Failure> {
    let failed = |error| Failure::io(facts, &error);
    let mut counted = Counted::default();
    for line in BufReader::new(File::open(facts).map_err(failed)?).split(b'\n') {
        let line = line.map_err(failed)?;
        if line.starts_with(b"{\"subject\"") {
            let entitled = serde_json::from_slice::<Entitled>(&line);
            let entitlements = entitled.map_or(0, |entitled| entitled.entitlements.len());
            counted.subjects += 1;
            counted.entitlements += entitlements as u64;
        }
    }
    Ok(counted)
}

/// Publishes what is there of everybody.
fn publish(
    plan: &Plan,
    keys: &[SecretKey],
    now: Instant,
    allow_shrink: bool,
) -> Result<Published, Failure> {
    let mut merge = Merge::default();
    for facts in &plan.facts {
        add(&mut merge, &facts.display().to_string(), facts)?;
    }
    for source in &plan.sources {
        let facts = plan.work.join(&source.name).join(FACTS);
        if !facts.exists() {
            let message =
                format!("{} has not answered once; without it nothing is known", source.name);
            return Err(Failure::bad_input("source-missing", message));
        }
        add(&mut merge, &source.name, &facts)?;
    }
    fs::create_dir_all(&plan.work).map_err(|error| Failure::io(&plan.work, &error))?;
    let merged = plan.work.join(FACTS);
    write(merge.into_facts(), now, &merged)?;
    let terms = Terms {
        audience: plan.audience.clone(),
        now,
        stale_after: or(plan.stale_after, "PT2M")?,
        expires_after: or(plan.expires_after, "P1D")?,
        dead_after: or(plan.dead_after, "P7D")?,
    };
    let options = Options { facts: vec![merged], terms, allow_shrink };
    publish::publish(&options, keys, &Folder::new(&plan.folder))
}

fn add(merge: &mut Merge, name: &str, facts: &Path) -> Result<(), Failure> {
    let file = File::open(facts).map_err(|error| Failure::io(facts, &error))?;
    merge.add(name, BufReader::new(file))
}
