//! Answers, sorted by what they are.

use std::collections::{BTreeMap, HashMap, HashSet};

use edgegrant::time::Timestamp;

use super::wire::{Compliance, DeviceLicense, License, Overview, Sku, Subscription};
use super::{Notes, Options, WITHOUT_KEY};
use crate::failure::Failure;
use crate::sources::answers::Answer;
use crate::sources::listed::Item;

/// Everything that was answered, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) subscriptions: Vec<Owned<Subscription>>,
    pub(super) compliance: Vec<Item<Compliance>>,
    pub(super) catalogue: Vec<Item<Sku>>,
    pub(super) overviews: Vec<Owned<Overview>>,
    pub(super) licenses: Vec<Owned<License>>,
    pub(super) device_licenses: Vec<Owned<DeviceLicense>>,
}

/// A record, and the organization that was asked about.
#[derive(Debug)]
pub(super) struct Owned<T> {
    pub(super) organization: String,
    pub(super) item: Item<T>,
}

impl Received {
    pub(super) fn new(
        answers: &[Answer],
        options: &Options,
        notes: &mut Notes,
    ) -> Result<Self, Failure> {
        check_pages(answers)?;
        let mut received = Self::default();
        for answer in answers.iter().filter(|answer| !answer.is_empty_list()) {
            received.sort(answer, options)?;
        }
        received.keep_the_latest(notes);
        Ok(received)
    }

    /// Results of writes look like lists of one subscription, but are no lists.
    fn sort(&mut self, answer: &Answer, options: &Options) -> Result<(), Failure> {
        let names = answer.names();
        let has = |name: &str| names.iter().any(|other| other == name);
        let list = answer.is_list();
        let owned = || organization(answer, options);
        match () {
            () if list && has("subscriptionId") => {
                own(&mut self.subscriptions, owned()?, Item::all(answer, "subscription")?);
            }
            () if list && has("subscription") && has("violations") => {
                self.compliance.extend(Item::all(answer, "compliance")?);
            }
            () if has("sku") && has("productClass") => {
                self.catalogue.extend(Item::all(answer, "sku")?);
            }
            () if list && has("key") && has("organizationId") => {
                for item in Item::<License>::all(answer, "license")? {
                    let organization = item.value.organization_id.clone();
                    let organization = organization.map_or_else(owned, Ok)?;
                    self.licenses.push(Owned { organization, item });
                }
            }
            () if list && (has("licenseType") || has("state")) => {
                own(&mut self.device_licenses, owned()?, Item::all(answer, "license")?);
            }
            () if !list && (has("licensedDeviceCounts") || has("states")) => {
                own(&mut self.overviews, owned()?, Item::all(answer, "overview")?);
            }
            () if names == ["errors"] => return Err(answer.error()),
            () => return Err(answer.unknown()),
        }
        Ok(())
    }

    /// Pages overlap, and a file may be older than another: of several versions of a subscription
    /// the latest counts, of equally old ones the last.
    fn keep_the_latest(&mut self, notes: &mut Notes) {
        let mut latest = HashMap::<(String, String), (Option<Timestamp>, usize)>::new();
        for (index, Owned { organization, item }) in self.subscriptions.iter().enumerate() {
            let Some(id) = item.value.subscription_id.clone() else {
                notes.warn(&item.place, WITHOUT_KEY);
                continue;
            };
            let version = (item.value.last_updated_at, index);
            let known = latest.entry((organization.clone(), id)).or_insert(version);
            *known = version.max(*known);
        }
        let kept: HashSet<usize> = latest.into_values().map(|(_, index)| index).collect();
        let all = std::mem::take(&mut self.subscriptions).into_iter().enumerate();
        let kept = all.filter(|(index, _)| kept.contains(index));
        self.subscriptions = kept.map(|(_, owned)| owned).collect();
        once(&mut self.device_licenses, |license| license.id.clone());
        once(&mut self.licenses, |license| license.key.clone());
    }

    /// The class of each sku that the catalogue names.
    pub(super) fn classes(&self) -> BTreeMap<&str, &str> {
        let classes = self.catalogue.iter().map(|item| &item.value);
        classes
            .filter_map(|sku| Some((sku.sku.as_deref()?, sku.product_class.as_deref()?)))
            .collect()
    }
}

/// That no list breaks off before its last page, as far as headers were kept.
fn check_pages(answers: &[Answer]) -> Result<(), Failure> {
    let mut unfinished = BTreeMap::new();
    for answer in answers {
        let request = answer.request();
        let list = (request.path(), request.parameters("organizationIds[]"));
        if answer.has_next() {
            unfinished.insert(list, answer);
        } else {
            unfinished.remove(&list);
        }
    }
    unfinished.into_values().next().map_or(Ok(()), |last| {
        let message = "the last page links to another one; ask on with that link";
        Err(refused(last, "pages-missing", message))
    })
}

fn own<T>(all: &mut Vec<Owned<T>>, organization: String, items: Vec<Item<T>>) {
    all.extend(items.into_iter().map(|item| Owned { organization: organization.clone(), item }));
}

/// Keeps one of those that have the same id.
fn once<T>(all: &mut Vec<Owned<T>>, id: impl Fn(&T) -> Option<String>) {
    let mut seen = HashSet::new();
    all.retain(|Owned { organization, item }| {
        id(&item.value).is_none_or(|id| seen.insert((organization.clone(), id)))
    });
}

/// The organization that was asked about: as the request says, or as the caller does.
fn organization(answer: &Answer, options: &Options) -> Result<String, Failure> {
    let request = answer.request();
    let mut asked = request.parameters("organizationIds[]");
    asked.extend(request.after("organizations"));
    asked.dedup();
    if asked.len() > 1 {
        let message = "several organizations were asked about at once; ask about each by itself";
        return Err(refused(answer, "organization-ambiguous", message));
    }
    asked.pop().or_else(|| options.organization.clone()).ok_or_else(|| {
        let message = "the body does not say whose it is; name the organization";
        refused(answer, "organization-missing", message)
    })
}

fn refused(answer: &Answer, code: &str, message: &str) -> Failure {
    Failure::bad_input(code, format!("{}: {message}", answer.place()))
}
