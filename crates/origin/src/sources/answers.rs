//! What an API answered, kept in files as it came.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::facts;
use crate::failure::Failure;
use crate::input;

/// One body, with what was asked for it where somebody wrote that down.
///
/// A file holds bodies one after another. One may stand in an envelope
/// `{"request": {"path", "query"}, "http_status", "headers", "body"}`, all but the body optional.
#[derive(Debug)]
pub struct Answer {
    /// The file, and the place in it from the second body on.
    place: String,
    request: Request,
    /// Whether a header `Link` names a next page (RFC 8288).
    has_next: bool,
    body: Box<RawValue>,
}

/// What was asked.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    path: String,
    #[serde(default)]
    query: String,
}

impl Request {
    /// The path without what stands behind the question mark.
    pub(super) fn path(&self) -> &str {
        self.path.split_once('?').map_or(&*self.path, |(path, _)| path)
    }

    /// What follows a name in the path: the id of one of many.
    pub(super) fn after(&self, name: &str) -> Option<String> {
        let mut segments = self.path.split(['/', '?']);
        segments.find(|segment| *segment == name)?;
        segments.next().filter(|id| !id.is_empty()).map(Into::into)
    }

    /// The values of a parameter behind the question mark, in order.
    pub(super) fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.path.split_once('?').map_or(&*self.query, |(_, query)| query);
        let pairs = form_urlencoded::parse(query.as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    }
}

/// A body with an envelope around it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    http_status: Option<u16>,
    headers: Option<serde_json::Value>,
    request: Option<Request>,
    body: Box<RawValue>,
}

/// Reads files, the `.json` and `.ndjson` files of folders, and standard input for `-`.
///
/// # Errors
/// `io`; `answers-missing` for a file or folder without any; `json-malformed` for a file that is
/// not JSON; `error-answer` for an envelope whose status is an error.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Answer>, Failure> {
    let mut answers = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            read_file(&file, &mut answers)?;
        }
    }
    Ok(answers)
}

fn read_file(path: &Path, answers: &mut Vec<Answer>) -> Result<(), Failure> {
    let mut text = String::new();
    input::open(path)?.read_to_string(&mut text).map_err(|error| Failure::io(path, &error))?;
    let before = answers.len();
    let bodies = serde_json::Deserializer::from_str(&text).into_iter::<Box<RawValue>>();
    for (index, body) in bodies.enumerate() {
        let file = path.display();
        let body = body.map_err(|error| {
            Failure::bad_input("json-malformed", format!("{file}: the file is not JSON: {error}"))
        })?;
        let place = if index == 0 { file.to_string() } else { format!("{file} ({})", index + 1) };
        answers.push(opened(place, body)?);
    }
    if answers.len() == before { Err(missing(path)) } else { Ok(()) }
}

/// That nothing was answered, which is not the same as an empty answer: whoever asked may have
/// failed, and left an empty file behind.
pub(super) fn missing(path: &Path) -> Failure {
    let path = path.display();
    let message = format!("{path}: there is no answer in it; ask again, or leave it out");
    Failure::bad_input("answers-missing", message)
}

fn opened(place: String, body: Box<RawValue>) -> Result<Answer, Failure> {
    let Ok(envelope) = serde_json::from_str::<Envelope>(body.get()) else {
        return Ok(Answer { place, request: Request::default(), has_next: false, body });
    };
    let request = envelope.request.unwrap_or_default();
    let has_next = envelope.headers.is_some_and(|headers| names_next(&headers));
    let answer = Answer { place, request, has_next, body: envelope.body };
    if envelope.http_status.is_some_and(|status| status >= 400) {
        return Err(answer.error());
    }
    Ok(answer)
}

/// The body in an envelope, or the text itself.
///
/// # Errors
/// `error-answer` for an envelope whose status is an error.
pub(super) fn body(path: &Path, text: Box<RawValue>) -> Result<Box<RawValue>, Failure> {
    opened(path.display().to_string(), text).map(|answer| answer.body)
}

fn names_next(headers: &serde_json::Value) -> bool {
    let mut headers = headers.as_object().into_iter().flatten();
    let link = headers.find(|(name, _)| name.eq_ignore_ascii_case("link"));
    let link = link.and_then(|(_, link)| link.as_str()).unwrap_or_default();
    link.contains("rel=next") || link.contains("rel=\"next\"")
}

/// The JSON files of a folder and of its folders, by name, or the file itself.
///
/// # Errors
/// `io`; `answers-missing` for a folder without any.
pub(super) fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in entries(path)? {
        // What a pull has not completed, or has replaced, lies beside what it completed.
        let other = entry.extension().is_some_and(|kind| kind == "partial" || kind == "before");
        match entry.is_dir() {
            true if other => {}
            true => files.extend(entries(&entry)?),
            false => files.push(entry),
        }
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "json" || kind == "ndjson"));
    if files.is_empty() { Err(missing(path)) } else { Ok(files) }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::io(folder, &error);
    let listed = fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = listed.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

impl Answer {
    /// The file, and the place in it, for whoever has to look.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// What was asked, as far as somebody wrote it down.
    pub(super) const fn request(&self) -> &Request {
        &self.request
    }

    /// Whether the answer is known to be a page that is not the last.
    pub(super) const fn has_next(&self) -> bool {
        self.has_next
    }

    /// The body as it came.
    pub(super) fn body(&self) -> &str {
        self.body.get()
    }

    /// Whether the body is a list.
    pub(super) fn is_list(&self) -> bool {
        self.body().starts_with('[')
    }

    /// Whether the body is a list without items.
    pub(super) fn is_empty_list(&self) -> bool {
        serde_json::from_str::<[IgnoredAny; 0]>(self.body()).is_ok()
    }

    /// The names at the top of the body; of a list, those of its first item.
    pub(super) fn names(&self) -> Vec<String> {
        let list = serde_json::from_str::<Vec<&RawValue>>(self.body.get()).unwrap_or_default();
        let top = list.first().map_or(self.body.get(), |first| first.get());
        let object = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(top);
        object.unwrap_or_default().into_keys().collect()
    }

    /// The body as what it should be.
    ///
    /// # Errors
    /// The code of the field that is wrong, with its path.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.parse_part(self.body.get())
    }

    /// A part of the body as what it should be.
    ///
    /// # Errors
    /// As [`Answer::parse`].
    pub(super) fn parse_part<T: DeserializeOwned>(&self, text: &str) -> Result<T, Failure> {
        facts::typed(text).map_err(|problem| {
            let dot = if problem.path.is_empty() { "" } else { ": " };
            let message = format!("{}{dot}{}: {}", self.place, problem.path, problem.message);
            Failure::bad_input(problem.code, message)
        })
    }

    /// That the body is an error of the server.
    pub(super) fn error(&self) -> Failure {
        let message = format!("{}: this is an error of the server; ask again", self.place);
        Failure::bad_input("error-answer", message)
    }

    /// That nothing is imported from such a body.
    pub(super) fn unknown(&self) -> Failure {
        let message =
            format!("{}: facts are not made from such an answer; leave the file out", self.place);
        Failure::bad_input("answer-unknown", message)
    }
}
