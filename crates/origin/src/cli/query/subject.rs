//! The queries about one subject, which a slice of it answers too.

use edgegrant::gate::{Ask, Demand, Expression, FoundGrant, Shortfall};
use edgegrant::{Amount, Error, Instant};
use serde::Serialize;

use crate::cli::gate::{self, quantity};
use crate::cli::{Outcome, output, print_json};
use crate::failure::{Exit, Failure};

/// Does so much of several features fit what is left? Exits 1 when not, or when nobody knows.
#[derive(Debug, clap::Args)]
pub(super) struct FitArgs {
    /// The id or an alias of a subject.
    subject: String,
    /// How much of which feature.
    #[arg(required = true, value_name = "FEATURE=AMOUNT", value_parser = want)]
    demand: Vec<(String, Amount)>,
    #[command(flatten)]
    asked: AskedAt,
}

/// Does an expression like `a|b&!c` hold? `&` joins groups, `|` alternatives in a group, `!`
/// negates a group, `*` is always so. Exits 1 when not.
#[derive(Debug, clap::Args)]
pub(super) struct Satisfies {
    /// The id or an alias of a subject.
    subject: String,
    /// The expression over features.
    expression: String,
    #[command(flatten)]
    asked: AskedAt,
}

/// What does each grant give, such as one of several agreements, and until when?
#[derive(Debug, clap::Args)]
pub(super) struct Grants {
    /// The id or an alias of a subject.
    subject: String,
    /// The key of a feature.
    feature: String,
    /// The id of a grant; all when absent. May be repeated.
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
    #[command(flatten)]
    asked: AskedAt,
}

#[derive(Debug, clap::Args)]
struct AskedAt {
    #[command(flatten)]
    of: gate::Asked,
    /// The instant to answer for; now when absent.
    #[arg(long, value_parser = output::instant)]
    at: Option<Instant>,
}

#[derive(Serialize)]
struct FitView<'a> {
    fits: bool,
    missing: Vec<ShortfallView<'a>>,
    unknown: &'a [String],
}

#[derive(Serialize)]
struct ShortfallView<'a> {
    feature: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    reason: &'static str,
}

#[derive(Serialize)]
struct GrantsView {
    grants: Vec<GrantView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantView {
    id: String,
    counts: bool,
    state: &'static str,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Amount>,
    effective_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

#[derive(Serialize)]
struct SatisfiesView {
    satisfied: bool,
}

fn want(text: &str) -> Result<(String, Amount), Error> {
    let (feature, amount) = text.rsplit_once('=').ok_or(MALFORMED)?;
    Ok((feature.to_owned(), quantity(amount)?))
}

impl AskedAt {
    fn ask<'a>(&self, subject: &'a str, feature: &'a str) -> Ask<'a> {
        let (clock, at) = (self.of.clock(), self.at);
        Ask { subject, feature, clock, at, amount: None, used: None }
    }
}

impl Grants {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let ask = self.asked.ask(&self.subject, &self.feature);
        let named = Some(self.grants.as_slice()).filter(|ids| !ids.is_empty());
        let found = self.asked.of.open(&self.subject)?.explain(&ask).grants(named)?;
        let grants: Vec<GrantView> = found.into_iter().map(GrantView::from).collect();
        if json {
            print_json(&GrantsView { grants })?;
            return Ok(Exit::Ok);
        }
        for GrantView { id, counts, state, amount, balance, ends_at, .. } in grants {
            let gives = if counts { "gives" } else { "does not give" };
            let left = balance.map_or(String::new(), |left| format!(", {left} left"));
            let until = ends_at.map_or(String::new(), |end| format!(", until {end}"));
            say!("{id}: {gives} {amount}, {state}{left}{until}");
        }
        Ok(Exit::Ok)
    }
}

impl From<FoundGrant> for GrantView {
    fn from(grant: FoundGrant) -> Self {
        Self {
            id: grant.id,
            counts: grant.counts,
            state: grant.state.as_str(),
            amount: grant.amount,
            balance: grant.balance,
            effective_at: grant.effective_at.to_string(),
            ends_at: grant.ends_at.map(|end| end.to_string()),
        }
    }
}

impl FitArgs {
    pub(super) fn run(&self, json: bool) -> Outcome {
        self.refuse_repeats()?;
        let (subject, wanted, at) = (&self.subject, &self.demand, self.asked.at);
        let clock = self.asked.of.clock();
        let opened = self.asked.of.open(subject)?;
        let fit = opened.can_fit(&Demand { subject, wanted, clock, at })?;
        if json {
            let missing = fit.missing.iter().map(ShortfallView::from).collect();
            print_json(&FitView { fits: fit.fits, missing, unknown: &fit.unknown })?;
        } else {
            say!("{}", if fit.fits { "fits" } else { "does not fit" });
            for Shortfall { feature, amount, reason } in &fit.missing {
                let missing = amount.map_or(String::new(), |amount| format!("{amount} missing, "));
                say!("  {feature}: {missing}{}", reason.as_str());
            }
            for feature in &fit.unknown {
                say!("  {feature}: usage is not known");
            }
        }
        Ok(if fit.fits { Exit::Ok } else { Exit::No })
    }

    fn refuse_repeats(&self) -> Result<(), Failure> {
        let mut features: Vec<_> = self.demand.iter().map(|(feature, _)| feature).collect();
        features.sort_unstable();
        let count = features.len();
        features.dedup();
        if features.len() == count { Ok(()) } else { Err(REPEATED.into()) }
    }
}

impl<'a> From<&'a Shortfall> for ShortfallView<'a> {
    fn from(Shortfall { feature, amount, reason }: &'a Shortfall) -> Self {
        Self { feature, amount: *amount, reason: reason.as_str() }
    }
}

impl Satisfies {
    pub(super) fn run(&self, json: bool) -> Outcome {
        let expression = Expression::parse(&self.expression)?;
        let ask = self.asked.ask(&self.subject, "");
        let satisfied = self.asked.of.open(&self.subject)?.satisfies(&ask, &expression);
        if json {
            print_json(&SatisfiesView { satisfied })?;
        } else {
            say!("{}", if satisfied { "satisfied" } else { "not satisfied" });
        }
        Ok(if satisfied { Exit::Ok } else { Exit::No })
    }
}

const MALFORMED: Error =
    Error::new("demand-malformed", "what is wanted lacks `=`; write it like seats=5");
const REPEATED: Error =
    Error::new("demand-repeated", "a feature is wanted twice; add the amounts and name it once");
