//! The files of an export: pages, arrays, single records and lines, told apart by the names of the
//! files, else by the members of the records.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::wire::{Customer, Entitlement, Feature, Grant, Meter, UsageAnswer, ValueAnswer};
use crate::facts;
use crate::failure::Failure;
use crate::input;
use crate::sources::answers::{self, files_of};
use crate::sources::listed::Item;

/// Everything that the files hold, as the server wrote it.
#[derive(Debug, Default)]
pub(super) struct Export {
    pub(super) customers: Option<Vec<Item<Customer>>>,
    pub(super) features: Vec<Item<Feature>>,
    pub(super) meters: Vec<Item<Meter>>,
    pub(super) entitlements: Vec<Item<Entitlement>>,
    pub(super) grants: Vec<Item<Grant>>,
    pub(super) values: Vec<Item<ValueAnswer>>,
    pub(super) usage: Vec<UsageAnswer>,
}

impl Export {
    /// Reads files and folders.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut export = Self::default();
        for path in paths {
            for file in files_of(path)? {
                export.read_file(&file)?;
            }
        }
        Ok(export)
    }

    /// Takes any number of arrays, pages and single records one after another.
    fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let named = Kind::named(path);
        // There may be no lines, but no answer of a server is empty.
        let mut is_empty = path.extension().is_some_and(|kind| kind == "json");
        let stream = serde_json::Deserializer::from_reader(input::open(path)?);
        for value in stream.into_iter::<Box<RawValue>>() {
            let value = value.map_err(|error| malformed(path, &error))?;
            let value = answers::body(path, value)?;
            is_empty = false;
            if value.get().starts_with('[') {
                let list: Vec<Box<RawValue>> = parsed(path, "the list", value.get())?;
                list.iter().try_for_each(|item| self.take(path, named, item))?;
            } else {
                self.take(path, named, &value)?;
            }
        }
        if is_empty { Err(answers::missing(path)) } else { Ok(()) }
    }

    /// Takes one record, or those of one page.
    fn take(&mut self, path: &Path, named: Option<Kind>, item: &RawValue) -> Result<(), Failure> {
        let page = || serde_json::from_str::<Page>(item.get()).ok();
        match self.add(path, named, item) {
            Ok(()) => Ok(()),
            Err(refused) => {
                page().ok_or(refused)?.items.iter().try_for_each(|item| self.add(path, named, item))
            }
        }
    }

    fn add(&mut self, path: &Path, named: Option<Kind>, item: &RawValue) -> Result<(), Failure> {
        match named.or_else(|| Kind::of(item)) {
            Some(Kind::Customers) => push(path, item, self.customers.get_or_insert_default()),
            Some(Kind::Features) => push(path, item, &mut self.features),
            Some(Kind::Meters) => push(path, item, &mut self.meters),
            Some(Kind::Entitlements) => push(path, item, &mut self.entitlements),
            Some(Kind::Grants) => push(path, item, &mut self.grants),
            Some(Kind::Values) => push(path, item, &mut self.values),
            Some(Kind::Usage) => {
                let place = format!("record {}", self.usage.len() + 1);
                self.usage.push(parsed(path, &place, item.get())?);
                Ok(())
            }
            None => Err(unknown(path, item)),
        }
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Customers,
    Features,
    Meters,
    Entitlements,
    Grants,
    Values,
    Usage,
}

impl Kind {
    /// What the first word of a file's name, or of its folder's name, says.
    fn named(path: &Path) -> Option<Self> {
        let word = |name: Option<&OsStr>| {
            let name = name.unwrap_or_default().to_string_lossy().to_lowercase();
            name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_owned()
        };
        let kind = |word: String| match word.as_str() {
            "customers" => Some(Self::Customers),
            "features" => Some(Self::Features),
            "meters" => Some(Self::Meters),
            "entitlements" => Some(Self::Entitlements),
            "grants" => Some(Self::Grants),
            "values" => Some(Self::Values),
            "usage" => Some(Self::Usage),
            _ => None,
        };
        kind(word(path.file_name())).or_else(|| kind(word(path.parent().and_then(Path::file_name))))
    }

    /// What the members of a record say, where they cannot be those of another kind.
    fn of(item: &RawValue) -> Option<Self> {
        const SIGNS: [(Kind, &[&str]); 9] = [
            (Kind::Entitlements, &["featureKey", "type"]),
            (Kind::Grants, &["entitlementId", "amount"]),
            (Kind::Values, &["entitlementId", "time", "value"]),
            (Kind::Usage, &["entitlementId", "usage"]),
            (Kind::Usage, &["featureKey", "usage"]),
            (Kind::Meters, &["slug", "aggregation"]),
            (Kind::Customers, &["usageAttribution"]),
            (Kind::Features, &["key", "meterSlug"]),
            (Kind::Features, &["key", "archivedAt"]),
        ];
        let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(item.get()).ok()?;
        let all = |signs: &[&str]| signs.iter().all(|sign| members.contains_key(*sign));
        SIGNS.iter().find_map(|(kind, signs)| all(signs).then_some(*kind))
    }
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

fn push<T: DeserializeOwned>(
    path: &Path,
    item: &RawValue,
    records: &mut Vec<Item<T>>,
) -> Result<(), Failure> {
    let place = format!("{}: record {}", path.display(), records.len() + 1);
    let item = Item::new(place, item.get())
        .map_err(|refused| server_error(path, item.get()).unwrap_or(refused))?;
    records.push(item);
    Ok(())
}

fn malformed(path: &Path, error: &serde_json::Error) -> Failure {
    let message = format!("{}: the file is not JSON: {error}", path.display());
    Failure::bad_input("json-malformed", message)
}

fn parsed<T: DeserializeOwned>(path: &Path, place: &str, text: &str) -> Result<T, Failure> {
    facts::typed(text).map_err(|problem| {
        let file = path.display();
        let dot = if problem.path.is_empty() { "" } else { ": " };
        let message = format!("{file}: {place}{dot}{}: {}", problem.path, problem.message);
        server_error(path, text).unwrap_or_else(|| Failure::bad_input(problem.code, message))
    })
}

fn unknown(path: &Path, item: &RawValue) -> Failure {
    let file = path.display();
    let message = format!(
        "{file}: what this is cannot be told; leave the file out, or name it after customers, \
         features, meters, entitlements, grants, values or usage"
    );
    server_error(path, item.get()).unwrap_or_else(|| Failure::bad_input("answer-unknown", message))
}

fn server_error(path: &Path, text: &str) -> Option<Failure> {
    let ServerError { status, .. } = serde_json::from_str(text).ok()?;
    let file = path.display();
    let message = format!("{file}: this is an error of the server ({status}); ask again");
    Some(Failure::bad_input("error-answer", message))
}
