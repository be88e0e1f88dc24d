//! The folder of a pull.
//!
//! An answer stands in an envelope that the importers read. What the source does not have is kept
//! too, under a name that they do not read, so that it is not asked for again.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use edgegrant::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Answer, Endpoint, Request};
use crate::disk::{Disk as _, Local, Readers};
use crate::failure::Failure;

pub(super) struct Kept {
    folder: PathBuf,
    partial: PathBuf,
    begun_at: Instant,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    request: Request,
    http_status: u16,
    #[serde(default)]
    headers: Headers,
    body: Box<RawValue>,
}

#[derive(Default, Serialize, Deserialize)]
struct Headers {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    link: String,
}

/// Says when a pull began, and of where. Importers do not read it.
const BEGUN: &str = "begun";
/// Tokens of pages do not live for ever, and what is old does not fit what is new.
const RESUMABLE_MS: i64 = 86_400_000;

impl Kept {
    /// Goes on with what lies beside a folder, or begins.
    pub(super) fn open(folder: &Path, endpoint: &Endpoint, now: Instant) -> Result<Self, Failure> {
        recover(folder)?;
        let partial = with_suffix(folder, ".partial");
        let begun = begun(&partial).filter(|(_, asked)| asked == endpoint.name());
        let begun = begun.map(|(begun, _)| begun);
        let fresh = |begun: &Instant| (0..RESUMABLE_MS).contains(&(now.millis() - begun.millis()));
        if let Some(begun_at) = begun.filter(fresh) {
            return Ok(Self { folder: folder.to_owned(), partial, begun_at });
        }
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(|error| Failure::io(&partial, &error))?;
        let kept = Self { folder: folder.to_owned(), partial, begun_at: now };
        let begun = format!("{now}\n{}\n", endpoint.name());
        Local.write(&kept.partial.join(BEGUN), begun.as_bytes(), Readers::Masked)?;
        Ok(kept)
    }

    pub(super) const fn begun_at(&self) -> Instant {
        self.begun_at
    }

    /// What was answered to a request in its turn: `Some(None)` if the source does not have it.
    pub(super) fn answer(
        &self,
        turn: usize,
        request: &Request,
    ) -> Result<Option<Option<Answer>>, Failure> {
        for there in [true, false] {
            let path = self.file(turn, request, there);
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Failure::io(&path, &error)),
            };
            // What was asked with other options is asked again.
            let envelope = serde_json::from_str::<Envelope>(&text).ok();
            return Ok(envelope
                .filter(|kept| kept.request == *request)
                .map(|kept| there.then_some(Answer { link: kept.headers.link, body: kept.body })));
        }
        Ok(None)
    }

    /// Keeps an answer, or that there is none.
    pub(super) fn keep(
        &self,
        turn: usize,
        request: &Request,
        answer: Option<&Answer>,
    ) -> Result<(), Failure> {
        let envelope = Envelope {
            request: request.clone(),
            http_status: if answer.is_some() { 200 } else { 404 },
            headers: Headers { link: answer.map(|answer| answer.link.clone()).unwrap_or_default() },
            body: answer.map_or_else(|| RawValue::NULL.to_owned(), |answer| answer.body.clone()),
        };
        let text = serde_json::to_vec(&envelope)
            .map_err(|error| Failure::bad_input("json", error.to_string()))?;
        Local.write(&self.file(turn, request, answer.is_some()), &text, Readers::Masked)
    }

    /// Leaves nothing to go on with.
    pub(super) fn forget(self) -> Result<(), Failure> {
        remove(&self.partial)
    }

    /// Puts the answers in the place of the folder.
    ///
    /// An earlier pull with other options may have left files that are not among the answers.
    pub(super) fn complete(self, answers: &[(Request, bool)]) -> Result<(), Failure> {
        let file =
            |(turn, (request, there)): (usize, &(Request, bool))| self.file(turn, request, *there);
        let mut known: HashSet<PathBuf> = answers.iter().enumerate().map(file).collect();
        known.insert(self.partial.join(BEGUN));
        let failed = |error| Failure::io(&self.partial, &error);
        for entry in fs::read_dir(&self.partial).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if !known.contains(&path) {
                Local.remove(&path)?;
            }
        }
        let moved = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(|error| Failure::io(from, &error))
        };
        let before = with_suffix(&self.folder, ".before");
        remove(&before)?;
        if self.folder.exists() {
            moved(&self.folder, &before)?;
        }
        moved(&self.partial, &self.folder)?;
        remove(&before)
    }

    /// The file of an answer, or of what is not there.
    fn file(&self, turn: usize, request: &Request, there: bool) -> PathBuf {
        let extension = if there { "json" } else { "absent" };
        self.partial.join(format!("{}-{turn:06}.{extension}", request.kind))
    }
}

/// When a pull began whose folder this is.
pub(super) fn begun_at(folder: &Path) -> Option<Instant> {
    begun(folder).map(|(begun, _)| begun)
}

fn begun(folder: &Path) -> Option<(Instant, String)> {
    let text = fs::read_to_string(folder.join(BEGUN)).ok()?;
    let (begun, endpoint) = text.trim().split_once('\n')?;
    Some((Instant::parse(begun).ok()?, endpoint.to_owned()))
}

/// Puts back what was replaced by a pull that was ended before its own was in the place.
///
/// A folder is replaced as a whole, so nothing may be in it but an earlier pull.
fn recover(folder: &Path) -> Result<(), Failure> {
    let before = with_suffix(folder, ".before");
    if !folder.exists() && before.exists() {
        fs::rename(&before, folder).map_err(|error| Failure::io(&before, &error))?;
    }
    let is_empty = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    let is_free = !folder.exists() || is_empty() || folder.join(BEGUN).exists();
    if folder.file_name().is_some() && is_free {
        return Ok(());
    }
    let folder = folder.display();
    let message = format!("{folder}: no pull made what is there; name a folder for this alone");
    Err(Failure::bad_input("out-occupied", message))
}

fn with_suffix(folder: &Path, suffix: &str) -> PathBuf {
    // A slash at the end is not part of the name.
    let folder: PathBuf = folder.components().collect();
    let mut name = folder.into_os_string();
    name.push(suffix);
    name.into()
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::io(folder, &error)),
        _ => Ok(()),
    }
}
