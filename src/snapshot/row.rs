//! An entitlement on its way into bytes, and a subject written out so that it stands alone.

use super::bytes::{put_text, put_varint};
use super::catalogue::policy_byte;
use super::layout::{
    CONFIG_BYTES_MAX, ENTITLEMENTS_MAX, GRANT_ID_BYTES_MAX, GRANTS_MAX, ID_BYTES_MAX, RECORD_MAGIC,
    STRETCHES_MAX,
};
use super::records::{EntitlementRecord, WhenExpired};
use super::tokens::{Token, Tokens};
use super::{check, grant_id, refusal};
use crate::engine::program::Rule;
use crate::error::Error;
use crate::time::Instant;

/// A checked entitlement as tokens.
pub(super) struct Row<'a> {
    pub(super) feature: FeatureOf<'a>,
    pub(super) config: Option<&'a str>,
    pub(super) tokens: Vec<Token>,
    /// The ids of grants that are not in the tokens.
    pub(super) ids: Vec<u8>,
}

/// What of a feature is written out along with an entitlement.
#[derive(Clone, Copy)]
pub(super) struct FeatureOf<'a> {
    pub(super) place: u64,
    pub(super) key: &'a str,
    pub(super) unit: Option<&'a str>,
    pub(super) when_expired: WhenExpired,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        feature: FeatureOf<'a>,
        entitlement: &'a EntitlementRecord,
        usage_as_of: Instant,
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

fn check_entitlement(entitlement: &EntitlementRecord) -> Result<(), Error> {
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

/// A subject with keys, units, policies, configs and shapes written out: what its salted digest is
/// over, and what a slice carries.
pub(super) fn expanded(id: &str, rows: &[Row<'_>]) -> Vec<u8> {
    let mut ordered: Vec<&Row<'_>> = rows.iter().collect();
    ordered.sort_unstable_by_key(|row| row.feature.key);
    let mut out = RECORD_MAGIC.to_vec();
    put_text(&mut out, id);
    put_varint(&mut out, ordered.len() as u64);
    let (mut shape, mut own) = (Vec::new(), Vec::new());
    for row in ordered {
        put_text(&mut out, row.feature.key);
        out.push(policy_byte(row.feature.when_expired));
        put_text(&mut out, row.feature.unit.unwrap_or_default());
        put_text(&mut out, row.config.unwrap_or_default());
        shape.clear();
        row.tokens.iter().for_each(|token| token.put(&mut shape));
        put_part(&mut out, &shape);
        own.clear();
        if !row.ids.is_empty() {
            // No marks: every field is as the shape says.
            own.push(0);
            own.extend_from_slice(&row.ids);
        }
        put_part(&mut out, &own);
    }
    out
}

pub(super) fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put_varint(out, part.len() as u64);
    out.extend_from_slice(part);
}
