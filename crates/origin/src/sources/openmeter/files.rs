//! The files of an export: pages, arrays, single records and lines, told apart by their names.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::wire::{Customer, Entitlement, Feature, Grant, Meter, UsageAnswer, ValueAnswer};
use crate::facts;
use crate::failure::Failure;
use crate::sources::Notes;
use crate::sources::answers::files_of;

/// Everything that the files hold, as the server wrote it.
#[derive(Debug, Default)]
pub(super) struct Export {
    pub(super) customers: Option<Vec<Customer>>,
    pub(super) features: Vec<Feature>,
    pub(super) meters: Vec<Meter>,
    pub(super) entitlements: Vec<Entitlement>,
    pub(super) grants: Vec<Grant>,
    pub(super) values: Vec<ValueAnswer>,
    pub(super) usage: Vec<UsageAnswer>,
}

impl Export {
    /// Reads files and folders.
    pub(super) fn read(paths: &[PathBuf], notes: &mut Notes) -> Result<Self, Failure> {
        let mut export = Self::default();
        for path in paths {
            for file in files_of(path)? {
                export.read_file(&file, notes)?;
            }
        }
        Ok(export)
    }

    fn read_file(&mut self, path: &Path, notes: &mut Notes) -> Result<(), Failure> {
        match kind(path).as_str() {
            "customers" => items(path, self.customers.get_or_insert_default()),
            "features" => items(path, &mut self.features),
            "meters" => items(path, &mut self.meters),
            "entitlements" => items(path, &mut self.entitlements),
            "grants" => items(path, &mut self.grants),
            "values" => items(path, &mut self.values),
            "usage" => items(path, &mut self.usage),
            _ => {
                notes.warn(path.display().to_string(), UNKNOWN_FILE);
                Ok(())
            }
        }
    }
}

const UNKNOWN_FILE: super::Reason = (
    "unknown-file",
    "the file is ignored; name it after customers, features, meters, entitlements, grants, values \
     or usage",
);

/// What a file holds: the first word of its name, or of its folder's name.
fn kind(path: &Path) -> String {
    let word = |name: Option<&std::ffi::OsStr>| {
        let name = name.unwrap_or_default().to_string_lossy().to_lowercase();
        name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_owned()
    };
    let known = ["customers", "features", "meters", "entitlements", "grants", "values", "usage"];
    let of_file = word(path.file_name());
    if known.contains(&of_file.as_str()) {
        return of_file;
    }
    word(path.parent().and_then(Path::file_name))
}

/// A page of a paged list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
}

/// An error of the server, as RFC 9457 has it.
#[derive(Deserialize)]
struct ServerError {
    status: u16,
    #[serde(rename = "title")]
    _title: String,
}

/// Adds the records of a file: any number of arrays, pages and single records one after another.
fn items<T: DeserializeOwned>(path: &Path, records: &mut Vec<T>) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure::io(path, &error))?;
    let stream = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, file));
    for value in stream.into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| malformed(path, &error))?;
        if value.get().starts_with('[') {
            let list: Vec<Box<RawValue>> = parsed(path, "the list", value.get())?;
            list.iter().try_for_each(|item| add(path, item, records))?;
        } else {
            add(path, &value, records)?;
        }
    }
    Ok(())
}

/// Adds one record, or those of one page.
fn add<T: DeserializeOwned>(
    path: &Path,
    item: &RawValue,
    records: &mut Vec<T>,
) -> Result<(), Failure> {
    let page = || serde_json::from_str::<Page>(item.get()).ok();
    match record(path, item, records.len()) {
        Ok(read) => records.push(read),
        Err(refused) => {
            for item in page().ok_or(refused)?.items {
                records.push(record(path, &item, records.len())?);
            }
        }
    }
    Ok(())
}

fn record<T: DeserializeOwned>(path: &Path, item: &RawValue, before: usize) -> Result<T, Failure> {
    parsed(path, &format!("record {}", before + 1), item.get())
}

fn malformed(path: &Path, error: &serde_json::Error) -> Failure {
    let message = format!("{}: the file is not JSON: {error}", path.display());
    Failure::bad_input("json-malformed", message)
}

fn parsed<T: DeserializeOwned>(path: &Path, place: &str, text: &str) -> Result<T, Failure> {
    facts::typed(text).map_err(|problem| {
        let file = path.display();
        if let Ok(ServerError { status, .. }) = serde_json::from_str(text) {
            let message =
                format!("{file}: {place} is an error of the server ({status}); ask again");
            return Failure::bad_input("error-answer", message);
        }
        let dot = if problem.path.is_empty() { "" } else { ": " };
        let message = format!("{file}: {place}{dot}{}: {}", problem.path, problem.message);
        Failure::bad_input(problem.code, message)
    })
}
