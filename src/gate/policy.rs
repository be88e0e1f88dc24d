//! Policies of the integrator's own, next to those that are signed.

use super::Gate;
use crate::error::Error;
use crate::snapshot::{Feature, WhenExpired};

/// Who said what a feature answers once its snapshot has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// The facts, signed within the snapshot.
    Signed,
    /// The gate's own options.
    Local,
}

/// What a gate makes of the signed policies, feature by feature.
///
/// ```
/// use edgegrant::gate::Policies;
/// use edgegrant::snapshot::WhenExpired;
///
/// let mut policies = Policies::default();
/// policies.tighten("exports", WhenExpired::Closed)?;
/// let twice = policies.dangerously_loosen("exports", WhenExpired::Open);
/// assert_eq!(twice.unwrap_err().code(), "policy-duplicate");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policies(Vec<Local>);

#[derive(Clone, Debug)]
struct Local {
    feature: String,
    policy: WhenExpired,
    loosens: bool,
}

impl Policies {
    /// Lets a feature answer at most as `policy` says; a stricter signed one stays.
    ///
    /// # Errors
    /// `policy-duplicate` when the feature has a local policy already.
    pub fn tighten(&mut self, feature: &str, policy: WhenExpired) -> Result<(), Error> {
        self.insert(feature, policy, false)
    }

    /// Lets a feature answer at least as `policy` says, against what the origin signed: access may
    /// be given that nobody granted.
    ///
    /// # Errors
    /// `policy-duplicate` when the feature has a local policy already.
    pub fn dangerously_loosen(&mut self, feature: &str, policy: WhenExpired) -> Result<(), Error> {
        self.insert(feature, policy, true)
    }

    fn insert(&mut self, feature: &str, policy: WhenExpired, loosens: bool) -> Result<(), Error> {
        let place = self.place(feature).err().ok_or(DUPLICATE)?;
        self.0.insert(place, Local { feature: feature.to_owned(), policy, loosens });
        Ok(())
    }

    fn place(&self, feature: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|local| local.feature.as_str().cmp(feature))
    }

    /// The policy in force for a feature, and whose it is.
    pub(super) fn of(&self, feature: &Feature<'_>) -> (WhenExpired, PolicySource) {
        let signed = feature.when_expired;
        if self.0.is_empty() {
            return (signed, PolicySource::Signed);
        }
        let local = self.place(feature.key).ok().and_then(|place| self.0.get(place));
        match local {
            Some(local) if local.loosens == (openness(local.policy) > openness(signed)) => {
                let differs = local.policy != signed;
                let source = if differs { PolicySource::Local } else { PolicySource::Signed };
                (local.policy, source)
            }
            _ => (signed, PolicySource::Signed),
        }
    }
}

impl Gate {
    /// The policies of this gate's own, to add to them.
    pub const fn policies(&mut self) -> &mut Policies {
        &mut self.options.policies
    }
}

/// How much a policy lets through.
const fn openness(policy: WhenExpired) -> u8 {
    match policy {
        WhenExpired::Closed => 0,
        WhenExpired::LastKnown => 1,
        WhenExpired::Open => 2,
    }
}

const DUPLICATE: Error = Error::new(
    "policy-duplicate",
    "a feature has two local policies; state it under `whenExpired` or under \
     `dangerouslyWhenExpired`, once",
);
