//! Random ledgers, the same for the same seed, full of coincidences: refills on resets, usage on
//! boundaries, grants that tie in everything but their id.

mod dice;
mod facts;
mod grants;
mod queries;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, History};
use crate::case::{Asked, Case};
use crate::question::{Ledger, Question};
use crate::{KitError, naive};

use dice::Dice;
use facts::Frame;

/// What random ledgers may contain beyond the ordinary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Usage below 0, which a meter may sum up to, in some of the ledgers.
    pub negative_usage: bool,
}

/// The ledger of a seed, with about eight queries and now and then a history.
///
/// ```
/// use edgegrant_testkit::ledger::{Shape, random};
///
/// assert_eq!(random(7, Shape::default())?, random(7, Shape::default())?);
/// # Ok::<(), edgegrant_testkit::KitError>(())
/// ```
///
/// # Errors
/// Never for a seed that is in use; time arithmetic states it.
pub fn random(seed: u64, shape: Shape) -> Result<Ledger, KitError> {
    let mut dice = Dice::new(seed);
    let frame = Frame::roll(&mut dice)?;
    let negative = shape.negative_usage && dice.chance(50);
    let history = !negative && dice.chance(15);
    let mut ledger = Ledger {
        entitlement: frame.entitlement(&mut dice)?,
        grants: Vec::new(),
        usage: Vec::new(),
        resets: Vec::new(),
        queries: Vec::new(),
        history_query: None,
    };
    // What comes later coincides with what is there already.
    let automatic = naive::boundaries(&ledger, frame.end)?;
    ledger.resets = facts::resets(&mut dice, &frame, &automatic);
    let resets = naive::boundaries(&ledger, frame.end)?;
    ledger.grants = grants::roll(&mut dice, &frame, &resets, history)?;
    let boundaries: Vec<_> = naive::boundaries(&ledger, frame.end)?.into_iter().collect();
    ledger.usage = facts::usage(&mut dice, &frame, &boundaries, &ledger.grants, negative);
    ledger.queries = queries::roll(&mut dice, &frame, &boundaries);
    if history {
        ledger.history_query = Some(queries::history(&mut dice, &frame));
    }
    Ok(ledger)
}

/// The ledger of a seed as a case whose expected answers are those of the naive reference.
///
/// # Errors
/// As [`random`].
pub fn case(seed: u64, shape: Shape) -> Result<Case, KitError> {
    let ledger = random(seed, shape)?;
    let mut asked = Vec::new();
    for (index, at) in ledger.queries.iter().enumerate() {
        let question = Question::Value { ledger: ledger.clone(), at: *at };
        asked.push(answered(format!("queries[{index}]"), question)?);
    }
    if let Some(query) = ledger.history_query.clone() {
        let question = Question::History { ledger: ledger.clone(), query };
        asked.push(answered("history".to_owned(), question)?);
    }
    let input = RawValue::from_string(serde_json::to_string(&ledger)?)?;
    let (id, kind) = (format!("seed-{seed}"), "metered.value".to_owned());
    Ok(Case { id, kind, input, asked, skip: None })
}

/// The case as text of the conformance format, so that a seed that fails can be kept and run again.
///
/// # Errors
/// Never for a case of [`case`]; the JSON writer states it.
pub fn text(case: &Case) -> Result<String, KitError> {
    let mut queries = Vec::new();
    let mut history = None;
    for asked in &case.asked {
        match &asked.expected {
            Answer::History(answer) => history = Some(answer),
            answer => queries.push(answer),
        }
    }
    let expected = Expected { queries, history };
    let file =
        File { cases: [Line { id: &case.id, kind: &case.kind, input: &case.input, expected }] };
    Ok(serde_json::to_string(&file)?)
}

#[derive(Serialize)]
struct File<'a> {
    cases: [Line<'a>; 1],
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    kind: &'a str,
    input: &'a RawValue,
    expected: Expected<'a>,
}

#[derive(Serialize)]
struct Expected<'a> {
    queries: Vec<&'a Answer>,
    history: Option<&'a History>,
}

fn answered(place: String, question: Question) -> Result<Asked, KitError> {
    let expected = naive::answer(&question)?;
    Ok(Asked { place, question, expected })
}

/// The instants of a set that lie within the frame.
fn within(frame: &Frame, instants: &BTreeSet<crate::Instant>) -> Vec<crate::Instant> {
    instants.range(frame.start..=frame.end).copied().collect()
}
