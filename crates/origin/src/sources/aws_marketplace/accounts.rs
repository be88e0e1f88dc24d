//! Buyers: an account where it is known, else the identifier that a product has for it.

use std::collections::HashMap;

use edgegrant::model::Subject;

use super::wire::Entitlement;
use super::{Listed, Notes, Reason};

/// Whose the identifiers are that stand beside an account somewhere.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_identifier: HashMap<String, String>,
}

const ALIAS_TAKEN: Reason = (
    "alias-taken",
    "its customer identifier stands beside another account too; it is no alias of this one",
);

impl Accounts {
    pub(super) fn new(listed: &[Listed], notes: &mut Notes) -> Self {
        let mut by_identifier = HashMap::new();
        for Listed { place, entitlement, .. } in listed {
            let Entitlement { customer_identifier, account, .. } = entitlement;
            if let (Some(identifier), Some(account)) = (customer_identifier, account) {
                let known = by_identifier.entry(identifier.clone()).or_insert(account.clone());
                if known != account {
                    notes.warn(place, ALIAS_TAKEN);
                }
            }
        }
        Self { by_identifier }
    }

    /// The id of the subject.
    pub(super) fn of(&self, entitlement: &Entitlement) -> Option<String> {
        let of_identifier = || {
            let identifier = entitlement.customer_identifier.as_ref()?;
            Some(self.by_identifier.get(identifier).unwrap_or(identifier).clone())
        };
        entitlement.account.clone().or_else(of_identifier)
    }

    /// Adds the identifier to the names of a subject that has an account.
    pub(super) fn name(&self, subject: &mut Subject, entitlement: &Entitlement) {
        let Some(identifier) = &entitlement.customer_identifier else { return };
        let own = self.by_identifier.get(identifier) == Some(&subject.subject);
        if own && *identifier != subject.subject && !subject.aliases.contains(identifier) {
            subject.aliases.push(identifier.clone());
        }
    }
}
