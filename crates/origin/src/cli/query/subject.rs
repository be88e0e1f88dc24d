//! The queries about several features of one subject.

use edgegrant::gate::{Ask, Demand, Expression, Shortfall};
use edgegrant::{Amount, Error, Instant};
use serde::Serialize;

use crate::cli::gate::{Trust, quantity};
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
    asked: Asked,
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
    asked: Asked,
}

#[derive(Debug, clap::Args)]
struct Asked {
    #[command(flatten)]
    trust: Trust,
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
struct SatisfiesView {
    satisfied: bool,
}

fn want(text: &str) -> Result<(String, Amount), Error> {
    let (feature, amount) = text.rsplit_once('=').ok_or(MALFORMED)?;
    Ok((feature.to_owned(), quantity(amount)?))
}

impl FitArgs {
    pub(super) fn run(&self, json: bool) -> Outcome {
        self.refuse_repeats()?;
        let (subject, wanted, at) = (&self.subject, &self.demand, self.asked.at);
        let clock = self.asked.trust.clock();
        let fit = self.asked.trust.gate()?.can_fit(&Demand { subject, wanted, clock, at })?;
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
        let (subject, clock, at) = (&self.subject, self.asked.trust.clock(), self.asked.at);
        let ask = Ask { subject, feature: "", clock, at, amount: None, used: None };
        let satisfied = self.asked.trust.gate()?.satisfies(&ask, &expression);
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
