//! From the facts about an entitlement to its program.

mod check;
mod ledger;

use super::program::{Metered, Program, Rule, Steady};
use crate::error::Error;
use crate::model::{Entitlement, EntitlementType, Status};
use crate::time::{Instant, Timestamp};
use check::Checked;
pub use ledger::burn_order;

/// A program and the names that it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// The ids of its grants, in the program's order.
    pub grant_ids: Vec<String>,
    /// What holds between the boundaries around the opening.
    pub steady: Option<Steady>,
}

/// What is wrong with an entitlement, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The JSON path within the entitlement, like `grants[3].expiresAt`; empty for the whole.
    pub path: String,
    /// The cause and the cure.
    pub error: Error,
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, error: Error) -> Self {
        Self { path: path.into(), error }
    }
}

/// Compiles one entitlement for a snapshot that is published at `publish_at`.
///
/// The program's opening sits one minute after the last boundary before that, so that the program
/// of somebody who did nothing stays the same from one publishing to the next.
///
/// # Errors
/// The first problem found: fields that do not belong to the type, instants out of order, intervals
/// under an hour, repeated grant ids, negative amounts, totals beyond 2^53 - 1.
///
/// ```
/// use edgegrant::engine::compile;
/// use edgegrant::model::{Entitlement, EntitlementType, Status};
/// use edgegrant::Instant;
///
/// let facts = Entitlement::new("sso", EntitlementType::Boolean);
/// let compiled = compile(&facts, Status::Active, Instant::parse("2024-01-01T00:00:00Z")?);
/// assert!(!compiled.unwrap().program.suspended);
/// # Ok::<(), edgegrant::Error>(())
/// ```
pub fn compile(
    entitlement: &Entitlement,
    subject_status: Status,
    publish_at: Instant,
) -> Result<Compiled, Problem> {
    let mut grant_ids = Vec::new();
    let rule = match entitlement.kind {
        EntitlementType::Boolean => {
            check::no_config(entitlement)?;
            check::not_metered(entitlement)?;
            Rule::Boolean
        }
        EntitlementType::Static => {
            check::has_config(entitlement)?;
            check::not_metered(entitlement)?;
            Rule::Static
        }
        EntitlementType::Metered => {
            check::no_config(entitlement)?;
            let checked = Checked::new(entitlement)?;
            let (metered, ids) = ledger::compile(&checked, publish_at)?;
            grant_ids = ids;
            Rule::Metered(metered)
        }
    };
    let suspended = [subject_status, entitlement.status].contains(&Status::Suspended);
    let steady = match &rule {
        Rule::Metered(metered) => metered.steady(),
        _ => None,
    };
    if let Rule::Metered(metered) = &rule {
        check::in_range(metered, steady.as_ref())?;
    }
    let program = Program { suspended, rule, ..check::window(entitlement)? };
    Ok(Compiled { program, grant_ids, steady })
}

/// The whole ledger of a metered entitlement: its program from the first opening, and its usage.
///
/// Nothing is summed up yet, so every instant since measuring began can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The rule, opened where measuring begins or where the facts open it.
    pub metered: Metered,
    /// Usage in order of time.
    pub events: Vec<super::UsageEvent>,
    /// The ids of the grants, in the program's order.
    pub grant_ids: Vec<String>,
}

/// Reads a metered entitlement as a ledger, for questions about its past.
///
/// # Errors
/// As [`compile`].
pub fn ledger(entitlement: &Entitlement) -> Result<Ledger, Problem> {
    Checked::new(entitlement).and_then(|checked| ledger::ledger(&checked))
}

/// The earlier of two ends.
fn earlier(first: Option<Timestamp>, second: Option<Timestamp>) -> Option<Timestamp> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    }
}
