//! Files of conformance cases.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::question::{HistoryQuery, Ledger, Question, Time, Window};
use crate::{Instant, KitError};

/// One case: everything that is asked about one input.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in the file.
    pub id: String,
    /// Which function it tests; for the time files `time.<op>`.
    pub kind: String,
    /// The input as it stands in the file.
    pub input: Box<RawValue>,
    /// What is asked, in the order of the file.
    pub asked: Vec<Asked>,
    /// Why it may be left out: arithmetic outside UTC.
    pub skip: Option<String>,
}

/// A question with its expected answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where in `expected` the answer stands: empty, `queries[2]` or `history`.
    pub place: String,
    /// The question.
    pub question: Question,
    /// The expected answer.
    pub expected: Answer,
}

/// Reads a file of cases, plain or gzip by its ending `.gz`.
///
/// # Errors
/// When the file cannot be read or a case is not of the stated format; the case is named.
pub fn read(path: &Path) -> Result<Vec<Case>, KitError> {
    parse(&text(path)?).map_err(|error| at(path, &error))
}

/// The text of a file of cases, plain or gzip by its ending `.gz`.
///
/// # Errors
/// When the file cannot be read.
pub fn text(path: &Path) -> Result<String, KitError> {
    let mut text = String::new();
    let mut file = File::open(path).map_err(|error| at(path, &error))?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text)
    } else {
        file.read_to_string(&mut text)
    }
    .map_err(|error| at(path, &error))?;
    Ok(text)
}

fn at(place: impl AsRef<Path>, error: &dyn std::error::Error) -> KitError {
    KitError(format!("{}: {error}", place.as_ref().display()))
}

/// Reads cases from the text of a file.
///
/// # Errors
/// When a case is not of the stated format; the case is named.
pub fn parse(text: &str) -> Result<Vec<Case>, KitError> {
    let file: RawFile<'_> = serde_json::from_str(text)?;
    file.cases.into_iter().map(case).collect()
}

#[derive(Deserialize)]
struct RawFile<'a> {
    #[serde(borrow)]
    cases: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawCase<'a> {
    id: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    op: Option<String>,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow)]
    expected: &'a RawValue,
}

fn case(text: &RawValue) -> Result<Case, KitError> {
    let raw: RawCase<'_> = serde_json::from_str(text.get())?;
    let asked = ask(&raw, text).map_err(|error| at(&raw.id, &error))?;
    let kind = match (&raw.kind, &raw.op) {
        (Some(kind), _) => kind.clone(),
        (None, op) => format!("time.{}", op.as_deref().unwrap_or_default()),
    };
    Ok(Case { skip: skip(&asked), id: raw.id, kind, input: raw.input.to_owned(), asked })
}

fn skip(asked: &[Asked]) -> Option<String> {
    asked.iter().find_map(|asked| match &asked.question {
        Question::Time(Time::UsagePeriod { tz: Some(tz), .. }) if tz != "UTC" => {
            Some(format!("the arithmetic is in {tz}, not in UTC"))
        }
        _ => None,
    })
}

fn ask(raw: &RawCase<'_>, whole: &RawValue) -> Result<Vec<Asked>, KitError> {
    let input = raw.input.get();
    let Some(kind) = &raw.kind else {
        return one(Question::Time(serde_json::from_str(whole.get())?), raw);
    };
    match kind.as_str() {
        "metered.value" | "metered.history" => metered(input, raw.expected.get()),
        "engine.run" => one(Question::Run(serde_json::from_str(input)?), raw),
        "grant.effectivePeriod" => {
            one(Question::EffectivePeriod(serde_json::from_str(input)?), raw)
        }
        "grant.activeAt" => {
            let window: Window = serde_json::from_str(input)?;
            let At { at } = serde_json::from_str(input)?;
            one(Question::ActiveAt { window, at }, raw)
        }
        "grant.order" => {
            let Grants { grants } = serde_json::from_str(input)?;
            one(Question::Order { grants }, raw)
        }
        "access" => one(Question::Access(serde_json::from_str(input)?), raw),
        "time" => one(Question::Time(serde_json::from_str(whole.get())?), raw),
        other => Err(KitError(format!("unknown kind `{other}`"))),
    }
}

#[derive(Deserialize)]
struct At {
    at: Instant,
}

#[derive(Deserialize)]
struct Grants {
    grants: Vec<crate::question::OrderGrant>,
}

fn one(question: Question, raw: &RawCase<'_>) -> Result<Vec<Asked>, KitError> {
    let expected = Answer::parse(&question, raw.expected.get())?;
    Ok(vec![Asked { place: String::new(), question, expected }])
}

#[derive(Deserialize)]
struct MeteredExpected<'a> {
    #[serde(borrow, default)]
    queries: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    history: Option<&'a RawValue>,
}

fn metered(input: &str, expected: &str) -> Result<Vec<Asked>, KitError> {
    let ledger: Ledger = serde_json::from_str(input)?;
    let expected: MeteredExpected<'_> = serde_json::from_str(expected)?;
    if ledger.queries.len() != expected.queries.len() {
        return Err(KitError("not as many answers as queries".to_owned()));
    }
    let mut asked = Vec::new();
    for (index, (at, answer)) in ledger.queries.iter().zip(expected.queries).enumerate() {
        let question = Question::Value { ledger: ledger.clone(), at: *at };
        asked.push(pair(format!("queries[{index}]"), question, answer)?);
    }
    if let (Some(query), Some(answer)) = (ledger.history_query.clone(), expected.history) {
        asked.push(history(ledger, query, answer)?);
    }
    Ok(asked)
}

fn history(ledger: Ledger, query: HistoryQuery, answer: &RawValue) -> Result<Asked, KitError> {
    pair("history".to_owned(), Question::History { ledger, query }, answer)
}

fn pair(place: String, question: Question, answer: &RawValue) -> Result<Asked, KitError> {
    let expected = Answer::parse(&question, answer.get())?;
    Ok(Asked { place, question, expected })
}
