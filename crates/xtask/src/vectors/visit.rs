//! What is asked of a gate: each question about a subject of its own.

use edgegrant_testkit::KitError;
use edgegrant_testkit::case::{Asked, Case};
use edgegrant_testkit::compare::Mismatch;
use edgegrant_testkit::line::{self, Publication, Way};
use edgegrant_testkit::question::Question;

use super::refused;

/// A question to a gate.
pub(super) struct Visit<'a> {
    /// The place of the case in its file.
    pub(super) case: usize,
    pub(super) asked: &'a Asked,
    way: Way,
    pub(super) publication: Publication,
}

impl Visit<'_> {
    /// Says by which way the answer came about.
    pub(super) fn by_its_way(&self, mismatch: Mismatch) -> Mismatch {
        by(self.way, mismatch)
    }
}

fn by(way: Way, mismatch: Mismatch) -> Mismatch {
    Mismatch { field: format!("{} ({way})", mismatch.field), ..mismatch }
}

/// Each value of each ledger by every way to a gate, histories, and access.
pub(super) fn visits<'a>(cases: &'a [Case], found: &mut [Vec<Mismatch>]) -> Vec<Visit<'a>> {
    let mut visits = Vec::new();
    for ((case, of_case), found) in cases.iter().enumerate().zip(found) {
        for asked in &of_case.asked {
            for way in ways(&asked.question) {
                match publication(&asked.question, *way) {
                    Ok(publication) => visits.push(Visit { case, asked, way: *way, publication }),
                    Err(error) => found.push(by(*way, refused(asked, &error.to_string()))),
                }
            }
        }
    }
    visits
}

fn ways(question: &Question) -> &'static [Way] {
    match question {
        Question::Value { .. } => &Way::ALL,
        Question::History { .. } | Question::Access(_) => &[Way::Beginning],
        _ => &[],
    }
}

fn publication(question: &Question, way: Way) -> Result<Publication, KitError> {
    match question {
        Question::Value { ledger, at } => line::publication(ledger, *at, way),
        Question::History { ledger, query } => line::publication(ledger, query.to, way),
        Question::Access(access) => {
            Ok(Publication { entitlement: line::access(access)?, later: Vec::new() })
        }
        _ => Err(KitError("this is not asked of a gate".to_owned())),
    }
}
