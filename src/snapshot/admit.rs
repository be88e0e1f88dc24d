//! Whether a subject can be published, asked where somebody still knows the line it came from.

use super::catalogue::Feature;
use super::layout::{KEY_BYTES_MAX, RECORD_BYTES_MAX, UNIT_BYTES_MAX};
use super::records::{EntitlementRecord, FeatureRecord, SubjectRecord};
use super::row::{Row, check_entitlement, check_subject};
use super::{record, refusal};
use crate::engine::program::Rule;
use crate::error::Error;

/// Why a subject cannot be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inadmissible {
    /// The place of the entitlement at fault, unless it is the subject as a whole.
    pub entitlement: Option<usize>,
    /// What is wrong.
    pub error: Error,
}

impl From<Error> for Inadmissible {
    fn from(error: Error) -> Self {
        Self { entitlement: None, error }
    }
}

/// Asks of one subject what [`encode`](super::encode) asks of each: that its texts, amounts and
/// numbers are within the limits, and that it takes at most 256 KiB written out.
///
/// # Errors
/// The code that `encode` would give, and which entitlement is at fault.
///
/// ```
/// use edgegrant::snapshot::{SubjectRecord, admit};
///
/// let subject = SubjectRecord { id: "x".repeat(257), aliases: vec![], entitlements: vec![] };
/// let refused = admit(&subject, |_| None).unwrap_err();
/// assert_eq!(refused.error.code(), "subject-id-length");
/// ```
pub fn admit<'a>(
    subject: &SubjectRecord,
    declared: impl Fn(&str) -> Option<&'a FeatureRecord>,
) -> Result<(), Inadmissible> {
    check_subject(&subject.id, subject.entitlements.len())?;
    let mut bytes_max = 0;
    for (index, entitlement) in subject.entitlements.iter().enumerate() {
        check_entitlement(entitlement)
            .map_err(|error| Inadmissible { entitlement: Some(index), error })?;
        bytes_max += at_most(entitlement);
    }
    // Writing out costs as much as encoding, and next to nobody comes near the limit.
    if bytes_max <= RECORD_BYTES_MAX || written_out(subject, declared)? <= RECORD_BYTES_MAX {
        return Ok(());
    }
    Err(refusal::TOO_MUCH.into())
}

/// More than an entitlement takes written out.
fn at_most(entitlement: &EntitlementRecord) -> usize {
    const OUTLINE: usize = 512 + KEY_BYTES_MAX + UNIT_BYTES_MAX;
    const STRETCH: usize = 64;
    const GRANT: usize = 384;
    let config = entitlement.config.as_ref().map_or(0, String::len);
    let rule = match &entitlement.program.rule {
        Rule::Metered(rule) => rule.timeline.stretches.len() * STRETCH + rule.grants.len() * GRANT,
        Rule::Boolean | Rule::Static => 0,
    };
    OUTLINE + config + rule
}

/// How long a subject is written out, with an instant of its own for the usage of each entitlement.
fn written_out<'a>(
    subject: &SubjectRecord,
    declared: impl Fn(&str) -> Option<&'a FeatureRecord>,
) -> Result<usize, Error> {
    let mut rows = Vec::with_capacity(subject.entitlements.len());
    for entitlement in &subject.entitlements {
        let feature = declared(&entitlement.feature).ok_or(refusal::UNDECLARED_FEATURE)?;
        rows.push(Row::new(Feature::of(0, feature), entitlement, None)?);
    }
    let lines: Vec<_> = rows.iter().map(Row::line).collect();
    Ok(record::write(&subject.id, &lines).len())
}
