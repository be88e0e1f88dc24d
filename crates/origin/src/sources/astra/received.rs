//! Answers, sorted by what they are.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Options;
use super::wire::{Body, Entitlement, License, Subscription};
use crate::failure::Failure;
use crate::sources::answers::Answer;
use crate::sources::listed::Item;

/// Everything that was answered, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The accounts whose entitlements were asked for.
    pub(super) accounts: Vec<String>,
    pub(super) entitlements: Vec<Owned<Entitlement>>,
    pub(super) licenses: Vec<Owned<License>>,
    pub(super) subscriptions: Vec<Owned<Subscription>>,
}

/// A record, and the account that was asked about.
#[derive(Debug)]
pub(super) struct Owned<T> {
    pub(super) account: String,
    pub(super) item: Item<T>,
}

impl Received {
    pub(super) fn new(answers: &[Answer], options: &Options) -> Result<Self, Failure> {
        let mut received = Self::default();
        // By their names, the files of ten pages do not come in the order asked.
        let (mut unfinished, mut complete) = (BTreeMap::new(), BTreeSet::new());
        for answer in answers {
            let body = body(answer)?;
            let account = account(answer, options)?;
            let more = body.metadata.as_ref().and_then(|metadata| metadata.more.as_deref());
            let list = (account.clone(), body.kind.clone());
            if more.is_some_and(|token| !token.is_empty()) {
                unfinished.insert(list, answer);
            } else {
                complete.insert(list);
            }
            received.sort(answer, &body, account, options)?;
        }
        let broken = unfinished.into_iter().find(|(list, _)| !complete.contains(list));
        broken.map_or(Ok(received), |(_, last)| {
            let message = "the last page names another one; ask on with its continue token";
            Err(refused(last.place(), "pages-missing", message))
        })
    }

    fn sort(
        &mut self,
        answer: &Answer,
        body: &Body<'_>,
        account: String,
        options: &Options,
    ) -> Result<(), Failure> {
        let kind = body.kind.strip_prefix("application/astra-").unwrap_or_default();
        let asked = answer.request().parameters("include");
        let names = asked.iter().flat_map(|names| names.split(',')).map(str::to_owned);
        let mut include: Vec<String> = names.collect();
        match kind.trim_end_matches('s') {
            "entitlement" => {
                if include.is_empty() {
                    include.clone_from(&options.include);
                }
                let items = items(answer, body, "entitlement", &include)?;
                own(&mut self.entitlements, &account, items);
                self.accounts.push(account);
            }
            "license" => {
                own(&mut self.licenses, &account, items(answer, body, "license", &include)?);
            }
            "subscription" => {
                let items = items(answer, body, "subscription", &include)?;
                own(&mut self.subscriptions, &account, items);
            }
            _ => return Err(answer.unknown()),
        }
        Ok(())
    }
}

/// What a body is, if it is neither an error nor something else.
fn body(answer: &Answer) -> Result<Body<'_>, Failure> {
    let body: Body<'_> = serde_json::from_str(answer.body()).map_err(|_| answer.unknown())?;
    // A problem (RFC 9457) has an address for a type, and a title.
    let problem = answer.names().iter().any(|name| name == "title");
    match body.kind.starts_with("application/astra-") {
        true => Ok(body),
        false if problem => Err(answer.error()),
        false => Err(answer.unknown()),
    }
}

fn own<T>(all: &mut Vec<Owned<T>>, account: &str, items: Vec<Item<T>>) {
    all.extend(items.into_iter().map(|item| Owned { account: account.into(), item }));
}

/// The records of a list, or the one that the body is.
fn items<T: DeserializeOwned>(
    answer: &Answer,
    body: &Body<'_>,
    kind: &str,
    include: &[String],
) -> Result<Vec<Item<T>>, Failure> {
    let Some(items) = &body.items else { return Item::all(answer, kind) };
    let place = |index| format!("{}: {kind} {}", answer.place(), index + 1);
    let named = |(index, item): (usize, &&RawValue)| {
        let place = place(index);
        let json = object(item, include, &place)?;
        Item::new(place, &json)
    };
    items.iter().enumerate().map(named).collect()
}

/// An item as an object. A list that was asked for with `include` has rows without names.
fn object(item: &RawValue, include: &[String], place: &str) -> Result<String, Failure> {
    let Ok(row) = serde_json::from_str::<Vec<&RawValue>>(item.get()) else {
        return Ok(item.get().to_owned());
    };
    if include.is_empty() {
        let message = "the row does not name its columns; give the list that was asked for with \
                       --include";
        return Err(refused(place, "include-missing", message));
    }
    if include.len() != row.len() {
        let message =
            "the row has another number of columns than were asked for; correct --include";
        return Err(refused(place, "include-mismatch", message));
    }
    let named = include.iter().zip(row);
    let fields = named.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
    Ok(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
}

/// The account that was asked about: as the request says, or as the caller does.
fn account(answer: &Answer, options: &Options) -> Result<String, Failure> {
    let named = answer.request().after("accounts").or_else(|| options.account.clone());
    named.ok_or_else(|| {
        let message = "the body does not say whose it is; name the account with --account";
        refused(answer.place(), "account-missing", message)
    })
}

fn refused(place: &str, code: &str, message: &str) -> Failure {
    Failure::bad_input(code, format!("{place}: {message}"))
}
