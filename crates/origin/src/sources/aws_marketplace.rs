//! AWS Marketplace: the answers of the Entitlement Service's `GetEntitlements`.
//!
//! The wire is that of the service model `marketplace-entitlement` of 2017-01-11. A subject is a
//! buyer's account, a feature a dimension of a product, written `<ProductCode>/<Dimension>`. What
//! is listed is usable; an ended contract is not listed any more, and the expiration date is only a
//! lower bound. Numbers are capacities that the seller counts the use of, so usage is unknown.

mod accounts;
mod group;
mod wire;

use std::collections::{BTreeMap, HashSet};

use edgegrant::model::{Config, Fact, Record, Source};
use serde_json::value::RawValue;

use self::accounts::Accounts;
use self::group::{Agreement, Group};
use self::wire::{Entitlement, Page};
use super::answers::Answer;
use super::gathered::Gathered;
use super::{Ends, Notes, Reason};
use crate::failure::Failure;

const SYSTEM: &str = "aws-marketplace";

/// Turns the pages of one or more products into facts, features first.
///
/// Notes say what was skipped or simplified. When one of them is an error, the facts are not to be
/// used.
///
/// # Errors
/// `answer-unknown` and `error-answer` for what is no page of entitlements, `pages-missing` when
/// the last page names another, and the code of a field that is wrong.
pub fn import(
    answers: &[Answer],
    ends: &Ends,
    notes: &mut Notes,
) -> Result<impl Iterator<Item = Fact> + use<>, Failure> {
    let listed = listed(answers)?;
    let accounts = Accounts::new(&listed, notes);
    let mut gathered = Gathered::default();
    let mut groups = BTreeMap::<(String, String), Group>::new();
    for Listed { place, json, entitlement } in listed {
        let (Some(subject), Some(feature)) = (accounts.of(&entitlement), entitlement.feature())
        else {
            notes.warn(place, WITHOUT_KEY);
            continue;
        };
        let target = gathered.subject(&subject);
        accounts.name(target, &entitlement);
        target.records.push(record(&feature, &json)?);
        let group = groups.entry((subject, feature)).or_default();
        group.add(Agreement::new(place, entitlement, ends, notes));
    }
    for ((subject, key), group) in groups {
        let declared = gathered.feature(&key);
        if let Some((product, dimension)) = key.split_once('/') {
            let attributes = [("product", product), ("dimension", dimension)];
            declared.attributes =
                attributes.map(|(name, value)| (name.into(), value.into())).into();
        }
        if let Some(mut entitlement) = group.into_entitlement(&key, notes) {
            entitlement.source = Some(Source { system: SYSTEM.into(), id: key });
            gathered.entitle(&subject, entitlement);
        }
    }
    Ok(gathered.into_facts())
}

/// An entitlement as the service listed it.
struct Listed {
    place: String,
    json: Box<RawValue>,
    entitlement: Entitlement,
}

fn listed(answers: &[Answer]) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::new();
    let mut seen = HashSet::new();
    let mut pages = Pages::default();
    for answer in answers {
        let page = page(answer)?;
        for (index, json) in page.entitlements.into_iter().enumerate() {
            let entitlement: Entitlement = answer.parse_part(json.get())?;
            pages.meet(entitlement.product_code.as_deref())?;
            // Pages have no isolation: the same entitlement may stand on two of them.
            if seen.insert(json.get().to_owned()) {
                let place = format!("{}: entitlement {}", answer.place(), index + 1);
                listed.push(Listed { place, json, entitlement });
            }
        }
        let more = page.next_token.is_some_and(|token| !token.is_empty());
        pages.turn(more.then_some(answer));
    }
    pages.end()?;
    Ok(listed)
}

/// The list that pages are of, as long as another one is named.
#[derive(Default)]
struct Pages<'a> {
    /// The last page that names another.
    unfinished: Option<&'a Answer>,
    /// The product, where a page of the list had an entitlement to it.
    product: Option<String>,
}

impl<'a> Pages<'a> {
    /// An entitlement to another product begins another list.
    fn meet(&mut self, product: Option<&str>) -> Result<(), Failure> {
        if self.product.is_some() && product.is_some() && self.product.as_deref() != product {
            self.end()?;
        }
        self.product = product.map(Into::into).or_else(|| self.product.take());
        Ok(())
    }

    /// Ends a page; without another the list is complete.
    fn turn(&mut self, unfinished: Option<&'a Answer>) {
        self.unfinished = unfinished;
        if unfinished.is_none() {
            self.product = None;
        }
    }

    fn end(&self) -> Result<(), Failure> {
        self.unfinished.map_or(Ok(()), |last| Err(pages_missing(last)))
    }
}

fn page(answer: &Answer) -> Result<Page, Failure> {
    let names = answer.names();
    let has = |name: &str| names.iter().any(|other| other == name);
    match () {
        () if has("Entitlements") => answer.parse(),
        () if has("__type") => Err(answer.error()),
        () => Err(answer.unknown()),
    }
}

fn pages_missing(last: &Answer) -> Failure {
    let message = format!(
        "{}: the last page names another one; ask on with its NextToken, also after an empty page",
        last.place()
    );
    Failure::bad_input("pages-missing", message)
}

const WITHOUT_KEY: Reason =
    ("record-without-key", "it lacks its product, its dimension or its customer; it is left out");

fn record(feature: &str, json: &RawValue) -> Result<Record, Failure> {
    let json = Config::parse(json.get())
        .map_err(|error| Failure::bad_input(error.code(), error.message()))?;
    Ok(Record {
        system: SYSTEM.into(),
        kind: "entitlement".into(),
        feature: Some(feature.into()),
        json,
    })
}
