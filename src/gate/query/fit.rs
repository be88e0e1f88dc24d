//! Whether a demand for several features fits what is left of them.

use crate::amount::Amount;
use crate::error::Error;
use crate::gate::{Answer, Ask, Clock, Gate, Reason, SliceGate};
use crate::time::Instant;

/// What a subject wants of several features at once.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The id or an alias of the subject.
    pub subject: &'a str,
    /// How many units of which feature, each named once. Nothing of a feature always fits.
    pub wanted: &'a [(String, Amount)],
    /// The host's clock, by which the snapshot is fresh or not.
    pub clock: Clock,
    /// The instant to answer for, when it is not now.
    pub at: Option<Instant>,
}

/// Whether a demand fits, and where not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Whether all of it fits, known for certain.
    pub fits: bool,
    /// What does not fit, in the order of the demand.
    pub missing: Vec<Shortfall>,
    /// The features that grant enough but whose usage is not known, so that nobody can tell.
    pub unknown: Vec<String>,
}

/// What is missing of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The feature's key.
    pub feature: String,
    /// How many more are wanted than are left; `None` where it is not known what is left.
    pub amount: Option<Amount>,
    /// Why there is no access to as many.
    pub reason: Reason,
}

impl Gate {
    /// Whether what is left suffices for a demand. What is unlimited, and what has a soft limit,
    /// always does; a grace period is for present use and does not count.
    ///
    /// # Errors
    /// `demand-limit` for a demand of more than 1000 features.
    pub fn can_fit(&self, demand: &Demand<'_>) -> Result<Fit, Error> {
        fit(demand, &|ask| self.check(ask))
    }
}

impl SliceGate {
    /// Whether what is left suffices for a demand, as [`Gate::can_fit`] tells it.
    ///
    /// # Errors
    /// Those of [`Gate::can_fit`].
    pub fn can_fit(&self, demand: &Demand<'_>) -> Result<Fit, Error> {
        fit(demand, &|ask| self.check(ask))
    }
}

const FEATURES_MAX: usize = 1000;

fn fit(demand: &Demand<'_>, check: &dyn Fn(&Ask<'_>) -> Answer) -> Result<Fit, Error> {
    let &Demand { subject, wanted, clock, at } = demand;
    if wanted.len() > FEATURES_MAX {
        return Err(LIMIT);
    }
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for (feature, amount) in wanted.iter().filter(|(_, amount)| !amount.is_zero()) {
        let check =
            |amount| check(&Ask { subject, feature, clock, at, amount: Some(amount), used: None });
        let answer = check(*amount);
        if !answer.has_access {
            let (amount, reason) = (lacking(&answer, *amount), answer.reason);
            missing.push(Shortfall { feature: feature.clone(), amount, reason });
        } else if answer.usage_known == Some(false) && !check(Amount::MAX).has_access {
            // Whatever gives as much as there can be has no limit, or a soft one.
            unknown.push(feature.clone());
        }
    }
    Ok(Fit { fits: missing.is_empty() && unknown.is_empty(), missing, unknown })
}

/// How many more are wanted than are left.
fn lacking(answer: &Answer, wanted: Amount) -> Option<Amount> {
    match answer.reason {
        Reason::Exhausted => answer.balance.map(|left| wanted - left),
        reason => reason.is_known().then_some(wanted),
    }
}

const LIMIT: Error =
    Error::new("demand-limit", "a demand names more than 1000 features; ask in parts");
