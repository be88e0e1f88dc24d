//! A gate over a published folder, for the verbs that ask.

use std::path::{Path, PathBuf};

use edgegrant::gate::{
    Answer, Ask, Clock, Demand, Explained, Expression, Filter, Fit, FoundEntitlement, Gate, Listed,
    Listing, Options, SliceGate,
};
use edgegrant::{Amount, Error, Instant};
use serde::Serialize;

use super::output;
use crate::disk;
use crate::failure::Failure;
use crate::folder::Folder;

/// Which snapshot to ask, and whom to trust.
#[derive(Debug, clap::Args)]
pub(super) struct Trust {
    /// The folder that publish wrote.
    #[arg(long, short, env = "EDGEGRANT_FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    keys: Keys,
}

/// Which snapshot or slice to ask, and whom to trust.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The folder that publish wrote.
    #[arg(long, short, env = "EDGEGRANT_FOLDER", required_unless_present = "slice")]
    folder: Option<PathBuf>,
    /// The slice of the subject, as slice wrote it, to ask instead of a folder.
    #[arg(long, value_name = "FILE")]
    slice: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

/// Whom to trust, and when.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    /// Whom the snapshot must be for.
    #[arg(long, env = "EDGEGRANT_AUDIENCE")]
    audience: String,
    /// A key whose signature counts, as keygen printed it.
    #[arg(
        long = "trusted-key",
        env = "EDGEGRANT_TRUSTED_KEYS",
        value_delimiter = ',',
        required = true
    )]
    trusted_keys: Vec<String>,
    /// How many of them must have signed.
    #[arg(long, default_value_t = 1)]
    threshold: usize,
    /// The present, by which the snapshot is fresh or not; the host's clock when absent.
    #[arg(long, value_parser = output::instant)]
    now: Option<Instant>,
}

/// A head is under 1 KiB; this only bounds what is read.
const HEAD_BYTES: u64 = 1 << 16;
/// A slice is under 300 kB, but what is none should be told so.
const SLICE_BYTES: u64 = 1 << 32;

impl Keys {
    /// Keys are read here and not with the arguments, whose faults are shown as they were typed.
    pub(super) fn options(&self) -> Result<Options, Error> {
        Options::parse(self.audience.clone(), &self.trusted_keys, self.threshold)
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::At(self.now.unwrap_or_else(output::now))
    }

    /// Verifies a folder's snapshot.
    fn gate(&self, folder: &Path) -> Result<Gate, Failure> {
        let mut gate = Gate::new(self.options()?);
        let folder = Folder::new(folder);
        let head = disk::read(&folder.head(), HEAD_BYTES)?;
        folder.give(&mut gate, &head, self.clock())?;
        Ok(gate)
    }

    /// Verifies the slice of a subject.
    fn slice(&self, file: &Path, subject: &str) -> Result<SliceGate, Failure> {
        let options = self.options()?;
        let slice = disk::read(file, SLICE_BYTES)?;
        let opened = SliceGate::open(options, subject.to_owned(), &slice, 0);
        opened.map_err(|error| Failure::refused(&error))
    }
}

impl Trust {
    /// Verifies the folder's snapshot.
    pub(super) fn gate(&self) -> Result<Gate, Failure> {
        self.keys.gate(&self.folder)
    }

    pub(super) fn clock(&self) -> Clock {
        self.keys.clock()
    }
}

impl Asked {
    /// Verifies what is asked about a subject.
    pub(super) fn open(&self, subject: &str) -> Result<Opened, Failure> {
        if let Some(file) = &self.slice {
            return Ok(Opened::Slice(Box::new(self.keys.slice(file, subject)?)));
        }
        let folder = self.folder.clone().unwrap_or_default();
        Ok(Opened::Gate(Box::new(self.keys.gate(&folder)?)))
    }

    /// Verifies what is asked and answers.
    pub(super) fn explain(&self, question: &Question) -> Result<Explained, Failure> {
        Ok(self.open(&question.subject)?.explain(&question.ask(self.clock())))
    }

    pub(super) fn clock(&self) -> Clock {
        self.keys.clock()
    }
}

/// What is asked, verified.
pub(super) enum Opened {
    Gate(Box<Gate>),
    Slice(Box<SliceGate>),
}

impl Opened {
    pub(super) fn explain(&self, ask: &Ask<'_>) -> Explained {
        match self {
            Self::Gate(gate) => gate.explain(ask),
            Self::Slice(slice) => slice.explain(ask),
        }
    }

    pub(super) fn can_fit(&self, demand: &Demand<'_>) -> Result<Fit, Error> {
        match self {
            Self::Gate(gate) => gate.can_fit(demand),
            Self::Slice(slice) => slice.can_fit(demand),
        }
    }

    pub(super) fn find(
        &self,
        filter: &Filter,
        listing: &Listing<'_>,
    ) -> Result<Listed<FoundEntitlement>, Error> {
        match self {
            Self::Gate(gate) => gate.find(filter, listing),
            Self::Slice(_) if listing.after.is_some() => Err(WITHOUT_PARTS),
            Self::Slice(slice) => Ok(Listed { items: slice.find(filter, listing)?, next: None }),
        }
    }

    pub(super) fn satisfies(&self, ask: &Ask<'_>, expression: &Expression) -> bool {
        match self {
            Self::Gate(gate) => gate.satisfies(ask, expression),
            Self::Slice(slice) => slice.satisfies(ask, expression),
        }
    }
}

const WITHOUT_PARTS: Error =
    Error::new("token-malformed", "a slice lists all at once and gives no tokens; ask without");

/// A question about one feature of one subject.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    /// The id or an alias of a subject.
    pub(super) subject: String,
    /// The key of a feature.
    pub(super) feature: String,
    /// The instant to answer for; now when absent.
    #[arg(long, value_parser = output::instant)]
    pub(super) at: Option<Instant>,
    /// How many units are wanted; any at all when absent.
    #[arg(long, value_parser = quantity)]
    amount: Option<Amount>,
    /// Usage that the snapshot does not include.
    #[arg(long, value_parser = quantity)]
    used: Option<Amount>,
}

impl Question {
    pub(super) fn ask(&self, clock: Clock) -> Ask<'_> {
        let Self { subject, feature, at, amount, used } = self;
        Ask { subject, feature, clock, at: *at, amount: *amount, used: *used }
    }
}

/// An amount that can be wanted or used.
pub(super) fn quantity(text: &str) -> Result<Amount, Error> {
    Amount::parse(text)
        .and_then(|amount| if amount.is_negative() { Err(NEGATIVE) } else { Ok(amount) })
}

const NEGATIVE: Error = Error::new("amount-negative", "the amount is negative; write 0 or more");

/// An answer as it is printed. Instants are RFC 3339, amounts exact.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerView {
    has_access: bool,
    reason: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overage: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_available_grant_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_known: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<PeriodView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Box<serde_json::value::RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<i64>,
    stale: bool,
}

/// A span of time, half open.
#[derive(Debug, Serialize)]
pub(super) struct PeriodView {
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl PeriodView {
    pub(super) fn new(from: Instant, to: Option<Instant>) -> Self {
        Self { from: from.to_string(), to: to.map(|to| to.to_string()) }
    }
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        let text = |instant: Option<Instant>| instant.map(|instant| instant.to_string());
        let raw = |config: &String| serde_json::value::RawValue::from_string(config.clone()).ok();
        Self {
            has_access: answer.has_access,
            reason: answer.reason.as_str(),
            kind: answer.kind.map(edgegrant::gate::Kind::as_str),
            balance: answer.balance,
            usage: answer.usage,
            overage: answer.overage,
            total_available_grant_amount: answer.total_available,
            usage_known: answer.usage_known,
            period: answer.period.map(|period| PeriodView::new(period.from, period.to)),
            until: text(answer.until),
            retry_at: text(answer.retry_at),
            config: answer.config.as_ref().and_then(raw),
            unit: answer.unit.clone(),
            version: answer.version,
            age_ms: answer.age_millis,
            stale: answer.stale,
        }
    }
}

/// Prints what people read first.
pub(super) fn print(answer: &Answer) {
    let yes = if answer.has_access { "access" } else { "no access" };
    let stale = if answer.stale { ", stale" } else { "" };
    say!("{yes}: {}{stale}", answer.reason.as_str());
    let numbers = [
        ("balance", answer.balance),
        ("usage", answer.usage),
        ("overage", answer.overage),
        ("available in the period", answer.total_available),
    ];
    let unit = answer.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    for (name, number) in numbers {
        if let Some(number) = number {
            say!("  {name}: {number}{unit}");
        }
    }
    if answer.usage_known == Some(false) {
        say!("  usage: not known");
    }
    if let Some(config) = &answer.config {
        say!("  config: {config}");
    }
    if let Some(period) = answer.period {
        match period.to {
            Some(to) => say!("  usage period: {} to {to}", period.from),
            None if answer.total_available.is_some() => {
                say!("  usage period: since {}", period.from);
            }
            // What is not burnt has no period that tells anything.
            None => {}
        }
    }
    for (name, instant) in [("holds until", answer.until), ("access again", answer.retry_at)] {
        if let Some(instant) = instant {
            say!("  {name}: {instant}");
        }
    }
}
