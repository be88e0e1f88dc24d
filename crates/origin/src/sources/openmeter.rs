//! OpenMeter: customers, features, entitlements and grants as its API answers them.
//!
//! An export is a folder of files, each named after what it holds; otherwise what a record is, is
//! told from its members. The bodies are the server's own, in version 1 or 2: a page `{items, …}`,
//! a plain array, one record, or any number of these one after another, each in an envelope or not.
//! Several files may hold one kind: `grants-2.json`, `grants/0002.json`.
//!
//! - `customers.json`: `GET /api/v1/customers?pageSize=1000&page=…`. Without it, entitlements name
//!   their customers.
//! - `features.json`: `GET /api/v1/features`
//! - `meters.json`: `GET /api/v1/meters`, which tells which meters add up.
//! - `entitlements.json`: `GET /api/v2/entitlements?excludeInactive=false&pageSize=1000&page=…`
//! - `grants.json`: `GET /api/v2/grants?pageSize=1000&page=…`
//! - `values.ndjson`: for each metered entitlement a line `{"entitlementId", "time": T0, "value"}`
//!   with the answer to `GET …/value?time=T0`, T0 being a whole minute. Of several for one
//!   entitlement the latest that can be resumed from is taken.
//! - `usage.ndjson`: lines `{"entitlementId", "usage"}` or `{"featureKey", "usage"}` with the
//!   answer to `GET /api/v1/meters/…/query?from=T0&windowSize=MINUTE`; a feature's is grouped by
//!   `customerId`.
//!
//! **Ledger mode** resumes from the value's balance of each grant at T0 and burns the usage after
//! it. **Value mode** takes the answer as it is until the next boundary: for meters that do not add
//! up, for subscriptions (whose unit conversion the API hides) and where an answer lacks balances.

mod files;
mod grid;
mod metered;
mod opening;
mod owners;
mod records;
mod usage;
mod wire;

use std::path::PathBuf;

use edgegrant::Instant;
use edgegrant::model::{self, Fact, Source};

use self::files::Export;
pub(crate) use self::grid::recurrence;
use self::metered::Ledger;
use self::records::Records;
pub(crate) use self::wire::{Customer, Recurrence};
use super::{Notes, Reason};
use crate::failure::Failure;

const SYSTEM: &str = "openmeter";

/// How an export is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When the export was made: of several entitlements to one feature, the one active then
    /// counts.
    pub at: Instant,
    /// Take entitlements of subscriptions in ledger mode: no rate card converts units.
    pub trust_units: bool,
}

/// Turns an export into facts, features first.
///
/// Notes say what was skipped or simplified. When one of them is an error, the facts are not to be
/// used.
///
/// # Errors
/// A file that cannot be read or holds something else than its name says.
pub fn import(
    paths: &[PathBuf],
    options: &Options,
    notes: &mut Notes,
) -> Result<impl Iterator<Item = Fact> + use<>, Failure> {
    let export = Export::read(paths)?;
    let mut records = Records::new(export, options, notes);
    let features = records.take_features();
    for (source, owner) in records.take_entitlements() {
        let ledger = records.take_ledger(&source, owner, options);
        let target = entitlement(&source, &ledger, options, notes);
        records.give(owner, target);
    }
    let subjects = records.into_subjects().map(Fact::Subject);
    Ok(features.into_iter().map(Fact::Feature).chain(subjects))
}

fn entitlement(
    source: &wire::Entitlement,
    ledger: &Ledger,
    options: &Options,
    notes: &mut Notes,
) -> model::Entitlement {
    let mut target = model::Entitlement::new(&source.feature_key, source.kind);
    target.active_from = source.active_from.or(source.created_at);
    target.active_to = source.active_to;
    target.deleted_at = source.deleted_at;
    target.source = Some(Source { system: SYSTEM.into(), id: source.id.clone() });
    match source.kind {
        model::EntitlementType::Boolean => {}
        model::EntitlementType::Static => match config(source) {
            Ok(config) => target.config = config,
            Err(reason) => notes.error(&source.id, reason),
        },
        model::EntitlementType::Metered => {
            metered::fill(&mut target, source, ledger, options, notes);
        }
    }
    target
}

/// The config, which entitlements carry as a string that holds JSON.
fn config(source: &wire::Entitlement) -> Result<Option<model::Config>, Reason> {
    let Some(token) = &source.config else { return Ok(None) };
    let inner = serde_json::from_str::<String>(token.get());
    let text = inner.as_deref().unwrap_or(token.get());
    // What is no JSON after one decoding is the string itself.
    let parsed = model::Config::parse(text).or_else(|error| match error.code() {
        "config-malformed" => model::Config::parse(token.get()),
        _ => Err(error),
    });
    parsed.map(Some).map_err(|error| (error.code(), error.message()))
}
