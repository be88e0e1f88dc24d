//! Alert Logic: what accounts are entitled to, and their subscriptions.
//!
//! The wire is that of the OpenAPI document `subscriptions.v1`: `…/{account_id}/entitlements`,
//! `…/{account_id}/subscriptions` and `…/{account_id}/subscription/{id}`. A subject is an account,
//! a feature a product family, or `legacy:<feature>` for an older feature, which never ends. What a
//! status means is taken from the vendor's own client, which the document is behind of.

mod accounts;
mod family;
mod wire;

use edgegrant::model::Fact;
use edgegrant::time::Timestamp;

use self::accounts::Accounts;
use super::answers::Answer;
use super::gathered::Gathered;
use super::{Ends, Notes, Reason};
use crate::failure::Failure;

const SYSTEM: &str = "alert-logic";

/// How answers are read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How end dates are taken.
    pub ends: Ends,
    /// What is canceled may be used until its end date, where it has one. Otherwise canceling ends
    /// it at once, as it does for the vendor.
    pub canceled_runs_to_end: bool,
    /// Of several records about a family, one that is usable is enough. Otherwise the one with the
    /// latest end decides, as it does for the vendor.
    pub any_active: bool,
}

impl Options {
    /// Whether a record's status lets the account use the family.
    fn lets_use(&self, record: &wire::Entitlement) -> bool {
        match record.status.as_deref() {
            Some("active" | "pending_activation") => true,
            Some("canceled") => {
                let runs = |end: wire::Epoch| end.0 > Timestamp::from(self.ends.at);
                self.canceled_runs_to_end && record.end_date.is_some_and(runs)
            }
            _ => false,
        }
    }

    /// Whether the time of a record has come when the source was asked.
    fn has_begun(&self, record: &wire::Entitlement) -> bool {
        record.start_date.is_none_or(|start| start.0 <= Timestamp::from(self.ends.at))
    }
}

/// Turns answers about any number of accounts into facts, features first.
///
/// Notes say what was skipped or simplified. When one of them is an error, the facts are not to be
/// used.
///
/// # Errors
/// `answer-unknown` and `error-answer` for what is neither entitlements nor subscriptions, and the
/// code of a field that is wrong.
pub fn import(
    answers: &[Answer],
    options: &Options,
    notes: &mut Notes,
) -> Result<impl Iterator<Item = Fact> + use<>, Failure> {
    let accounts = Accounts::read(answers, notes)?;
    let mut gathered = Gathered::default();
    for (id, account) in accounts.into_each() {
        account.give(&id, &mut gathered, options, notes);
    }
    Ok(gathered.into_facts())
}
