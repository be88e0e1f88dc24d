//! What each grant of an entitlement gives by itself.

use super::sorted;
use crate::amount::Amount;
use crate::engine::GrantState;
use crate::error::Error;
use crate::gate::{Explained, NO_SNAPSHOT, Reason};
use crate::time::Instant;

/// A grant of an entitlement at an instant, such as one of several agreements about a feature.
///
/// Whose usage it is cannot be told from usage that is known of all grants together. So this is no
/// decision about a part of them: whoever counts usage by grant compares it with the amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundGrant {
    /// The id.
    pub id: String,
    /// Whether it gives its amount then: it is in its window, and the entitlement is in force.
    pub counts: bool,
    /// How it stands by itself.
    pub state: GrantState,
    /// Units that it gives; a refill restores them.
    pub amount: Amount,
    /// Units left; `None` unless it counts and usage is burnt from one grant after another.
    pub balance: Option<Amount>,
    /// From when it counts.
    pub effective_at: Instant,
    /// Until when it counts, exclusive; `None` is for ever.
    pub ends_at: Option<Instant>,
}

impl Explained {
    /// The grants that somebody named by id, or all, in burn order. What is not metered has none,
    /// nor has what the subject is not entitled to.
    ///
    /// # Errors
    /// The reason as a code where nothing can be told, such as `no-snapshot`, since an empty list
    /// would say that there is nothing; `list-limit` for more than 1000 names.
    pub fn grants(&self, named: Option<&[String]>) -> Result<Vec<FoundGrant>, Error> {
        let Self { answer, explanation, grant_ids } = self;
        if answer.version.is_none() {
            return Err(NO_SNAPSHOT);
        }
        if !answer.reason.is_known() {
            return Err(Error::new(answer.reason.as_str(), UNKNOWN));
        }
        let in_force = answer.has_access || answer.reason == Reason::Exhausted;
        let named = named.map(sorted).transpose()?;
        let mut found = Vec::new();
        for grant in explanation.iter().flat_map(|explanation| &explanation.grants) {
            let Some(id) = grant_ids.get(grant.index) else { continue };
            if named.as_ref().is_some_and(|names| names.binary_search(&id.as_str()).is_err()) {
                continue;
            }
            let state = grant.state;
            let counts = in_force && matches!(state, GrantState::Active | GrantState::Exhausted);
            found.push(FoundGrant {
                id: id.clone(),
                counts,
                state,
                amount: grant.amount,
                balance: answer.total_available.filter(|_| counts).map(|_| grant.balance),
                effective_at: grant.effective_at,
                ends_at: grant.ends_at,
            });
        }
        Ok(found)
    }
}

const UNKNOWN: &str =
    "it cannot be told what is granted; the code says why, as the reason of `check` does";
