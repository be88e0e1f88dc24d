//! An entitlement on its way into bytes.

use super::catalogue::Feature;
use super::layout::{
    CONFIG_BYTES_MAX, ENTITLEMENTS_MAX, GRANT_ID_BYTES_MAX, GRANTS_MAX, ID_BYTES_MAX, STRETCHES_MAX,
};
use super::record::Line;
use super::records::EntitlementRecord;
use super::tokens::{Token, Tokens};
use super::{check, grant_id, refusal};
use crate::engine::program::Rule;
use crate::error::Error;
use crate::time::Instant;

/// A checked entitlement as tokens.
pub(super) struct Row<'a> {
    pub(super) feature: Feature<'a>,
    pub(super) config: Option<&'a str>,
    pub(super) tokens: Vec<Token>,
    /// The ids of grants that are not in the tokens.
    pub(super) ids: Vec<u8>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        feature: Feature<'a>,
        entitlement: &'a EntitlementRecord,
        usage_as_of: Option<Instant>,
    ) -> Result<Self, Error> {
        check_entitlement(entitlement)?;
        let mut ids = Vec::new();
        let mut kinds = Vec::with_capacity(entitlement.grant_ids.len());
        for id in &entitlement.grant_ids {
            let kind = grant_id::kind(id, feature.key);
            grant_id::put(&mut ids, kind, id);
            kinds.push(kind);
        }
        let steady = entitlement.steady.as_ref();
        let tokens = Tokens::of(&entitlement.program, steady, &kinds, usage_as_of);
        Ok(Self { feature, config: entitlement.config.as_deref(), tokens, ids })
    }
}

/// Checks what an entitlement is made of.
pub(super) fn check_entitlement(entitlement: &EntitlementRecord) -> Result<(), Error> {
    let grants = match &entitlement.program.rule {
        Rule::Metered(metered) => {
            let stretches = metered.timeline.stretches.len();
            if metered.grants.len() > GRANTS_MAX || stretches > STRETCHES_MAX {
                return Err(refusal::TOO_MUCH);
            }
            metered.grants.len()
        }
        Rule::Boolean | Rule::Static => 0,
    };
    if !check::program(&entitlement.program, entitlement.steady.as_ref()) {
        return Err(refusal::PROGRAM);
    }
    let ids = &entitlement.grant_ids;
    let fits = |id: &String| (1..=GRANT_ID_BYTES_MAX).contains(&id.len());
    if ids.len() != grants || !ids.iter().all(fits) || repeats(ids) {
        return Err(refusal::GRANT_IDS);
    }
    match &entitlement.config {
        Some(config) if !(1..=CONFIG_BYTES_MAX).contains(&config.len()) => Err(refusal::CONFIG),
        _ => Ok(()),
    }
}

fn repeats(ids: &[String]) -> bool {
    if ids.len() < 2 {
        return false;
    }
    let mut sorted: Vec<&String> = ids.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

/// Checks an id and the number of entitlements.
pub(super) fn check_subject(id: &str, entitlements: usize) -> Result<(), Error> {
    if !(1..=ID_BYTES_MAX).contains(&id.len()) {
        return Err(refusal::ID);
    }
    if entitlements > ENTITLEMENTS_MAX { Err(refusal::TOO_MUCH) } else { Ok(()) }
}

impl Row<'_> {
    /// The entitlement as a record shows it.
    pub(super) fn line(&self) -> Line<'_> {
        let mut shape = Vec::with_capacity(self.tokens.len() * 3);
        self.tokens.iter().for_each(|token| token.put(&mut shape));
        let config = self.config.map(str::as_bytes);
        Line { feature: self.feature, config, shape, ids: &self.ids }
    }
}
