//! Asking a source for all that it says, and keeping the answers as they came.
//!
//! A pull is a list of requests that grows with the answers: pages name the next page, records name
//! what belongs to them. Each answer is kept in a file before the next request is made, and what
//! comes next is always computed from the files. So a pull that was broken off goes on where it
//! stood, and a folder is only there once it is complete.

mod alert_logic;
mod astra;
mod aws_marketplace;
mod http;
mod kept;
mod meraki;
mod openmeter;

use std::collections::{HashSet, VecDeque};
use std::path::Path;

use edgegrant::Instant;
use edgegrant::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ureq::http::HeaderMap;

pub use alert_logic::AlertLogic;
pub use astra::Astra;
pub use aws_marketplace::AwsMarketplace;
pub use http::{Endpoint, Http};
pub use meraki::Meraki;
pub use openmeter::OpenMeter;

use self::kept::Kept;
use crate::facts;
use crate::failure::{Exit, Failure};

/// A secret that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret, without the spaces around it.
    ///
    /// ```
    /// use edgegrant_origin::pull::Secret;
    ///
    /// assert_eq!(format!("{:?}", Secret::new("hush")), "a secret");
    /// ```
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.trim().to_owned())
    }

    const fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The header by which it says who asks.
    fn bearer(&self) -> (String, String) {
        ("authorization".into(), format!("Bearer {}", self.0))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret")
    }
}

/// The header that asks for JSON.
fn accept_json() -> (String, String) {
    ("accept".into(), "application/json".into())
}

/// What is asked of a source, without what says who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    /// What it asks for, in words that name nobody, with hyphens between them.
    pub kind: String,
    /// The path from the endpoint on, with a slash before it.
    pub path: String,
    /// What stands behind the question mark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The JSON that is sent; without it, the request is a GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// The id of what it is about, where neither path nor answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Whether the source may not have it, so that the pull is complete without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Request {
    fn get(kind: &str, path: String, query: &[(&str, &str)]) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        Self { kind: kind.into(), path, query, json: None, about: None, optional: false }
    }

    fn about(self, id: &str) -> Self {
        Self { about: Some(id.to_owned()), ..self }
    }

    fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// What a source answered with success.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The header `Link`, empty without one.
    pub link: String,
    /// The JSON of the body.
    pub body: Box<RawValue>,
}

/// Who asks a source.
pub trait Caller {
    /// The headers that say who asks, and what the API wants besides.
    ///
    /// # Errors
    /// Why a session could not be begun.
    fn headers(
        &self,
        http: &Http<'_>,
        request: &Request,
        url: &str,
    ) -> Result<Vec<(String, String)>, Failure>;

    /// Forgets a session that the source does not accept any more; whether there was one.
    fn end_session(&self) -> bool {
        false
    }

    /// Whether an answer that is no success asks for patience, apart from those that all APIs give.
    fn asks_for_patience(&self, _headers: &HeaderMap, _body: &str) -> bool {
        false
    }
}

/// What is asked of a source.
pub trait Api: Caller {
    /// What is asked first, in a pull that began at an instant.
    fn first(&self, begun_at: Instant) -> Vec<Request>;

    /// What is asked because of an answer; nothing where an API has no pages.
    ///
    /// # Errors
    /// An answer that is not what the API should give.
    fn next(
        &self,
        _asked: &Request,
        _answer: &Answer,
        _begun_at: Instant,
    ) -> Result<Vec<Request>, Failure> {
        Ok(Vec::new())
    }

    /// What is kept of the body of an answer, for whoever imports it.
    ///
    /// # Errors
    /// A body that cannot be kept.
    fn keep(&self, _asked: &Request, body: Box<RawValue>) -> Result<Box<RawValue>, Failure> {
        Ok(body)
    }
}

/// How far a pull is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Answers that are kept.
    pub answers: usize,
    /// Requests that are known to be left.
    pub left: usize,
    /// Seconds that the source asked to wait, while that is so.
    pub waiting_seconds: u64,
}

/// What a pull did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pulled {
    /// Answers in the folder.
    pub answers: usize,
    /// How many of them an earlier pull, broken off, had brought.
    pub resumed: usize,
    /// When the pull began, that of the earlier one if it was resumed.
    pub begun_at: Timestamp,
}

/// Asks for everything, and puts it into a folder in place of what was there.
///
/// Until it is complete it lies beside the folder under the same name with `.partial` behind it.
/// From there a pull of the same endpoint goes on that begins within a day.
///
/// # Errors
/// `out-occupied` for a folder with something else; `pull-refused` where the source says no and
/// `pull-failed` where it does not answer, both of which keep what was fetched; `pull-loop` for
/// pages without an end; `io`.
pub fn pull(
    api: &dyn Api,
    endpoint: &Endpoint,
    folder: &Path,
    now: Instant,
    mut progress: impl FnMut(Progress),
) -> Result<Pulled, Failure> {
    let kept = Kept::open(folder, endpoint, now)?;
    let begun_at = kept.begun_at().into();
    let mut resumed = 0;
    match ask(api, &Http::new(endpoint), &kept, &mut resumed, &mut progress) {
        Ok(asked) => {
            kept.complete(&asked)?;
            Ok(Pulled { answers: asked.len(), resumed, begun_at })
        }
        Err(failure) => {
            // A token of a page that is not accepted any more would never be.
            let is_stuck = failure.code == "pull-refused" && resumed > 0;
            if is_stuck || failure.code == "pull-loop" {
                kept.forget()?;
            }
            Err(failure)
        }
    }
}

/// When the pull began that made a folder: what it says was so then, and later it may not be.
#[must_use]
pub fn begun_at(folder: &Path) -> Option<Instant> {
    kept::begun_at(folder)
}

/// Asks for everything that is not there yet: the requests, and whether there was an answer.
fn ask(
    api: &dyn Api,
    http: &Http<'_>,
    kept: &Kept,
    resumed: &mut usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<(Request, bool)>, Failure> {
    let mut first = HashSet::new();
    let mut left = VecDeque::from(api.first(kept.begun_at()));
    left.retain(|request| first.insert(request.clone()));
    let mut seen = HashSet::new();
    let mut asked = Vec::new();
    while let Some(request) = left.pop_front() {
        if !seen.insert(request.clone()) {
            // Pages overlap, so a record may ask twice for what belongs to it.
            if request.about.is_some() {
                continue;
            }
            let message = format!("the pages of {} do not end; ask again later", request.kind);
            return Err(Failure { code: "pull-loop".into(), message, exit: Exit::Io });
        }
        let answers = asked.len();
        let (answer, was_there) = match kept.answer(answers, &request)? {
            Some(answer) => (answer, true),
            None => {
                let mut wait = |waiting_seconds| {
                    progress(Progress { answers, left: left.len() + 1, waiting_seconds });
                };
                let answer = http.answer(api, &request, &mut wait)?;
                let answer = answer.map(|Answer { link, body }| {
                    Ok::<_, Failure>(Answer { link, body: api.keep(&request, body)? })
                });
                (answer.transpose()?, false)
            }
        };
        *resumed += usize::from(was_there);
        let next = match &answer {
            Some(answer) => api.next(&request, answer, kept.begun_at())?,
            None => Vec::new(),
        };
        // What cannot be gone on from is asked for again.
        if !was_there {
            kept.keep(answers, &request, answer.as_ref())?;
        }
        // Pages of one list stay together, in their order.
        next.into_iter().rev().for_each(|request| left.push_front(request));
        asked.push((request, answer.is_some()));
        progress(Progress { answers: asked.len(), left: left.len(), waiting_seconds: 0 });
    }
    Ok(asked)
}

/// What is read of an answer.
fn parsed<T: DeserializeOwned>(asked: &Request, text: &str) -> Result<T, Failure> {
    facts::typed(text).map_err(|problem| {
        let message = format!("{}: {}: {}", asked.kind, problem.path, problem.message);
        Failure::bad_input("answer-malformed", message)
    })
}
