//! What JavaScript is told as plain objects, of snapshots and slices alike: twins of the gate's
//! types, in its words.

use serde::Serialize;
use wasm_bindgen::JsValue;

use super::thrown;
use crate::amount::Amount;
use crate::engine;
use crate::error::Error;
use crate::gate;
use crate::time::Instant;

/// Gives the object; a twin of numbers, texts and lists always becomes one.
pub(super) fn told(twin: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(twin).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn explanation(found: Option<engine::Explanation>, ids: &[String]) -> JsValue {
    let twin = found.map(|found| Explanation {
        evaluated_at: Some(millis(found.evaluated_at)),
        grants: found.grants.iter().map(|grant| Grant::of(grant, ids)).collect(),
        segments: found.segments.iter().map(|segment| Segment::of(segment, ids)).collect(),
        truncated: found.truncated,
    });
    told(&twin.unwrap_or_default())
}

pub(super) fn history(found: Result<gate::Told, Error>) -> Result<JsValue, JsValue> {
    let gate::Told { history, grant_ids } = found.map_err(|error| thrown(&error))?;
    Ok(told(&History {
        windows: history.windows.iter().map(Window::of).collect(),
        segments: history.segments.iter().map(|segment| Segment::of(segment, &grant_ids)).collect(),
        next: history.next.map(millis),
    }))
}

pub(super) fn status(found: gate::Status) -> JsValue {
    told(&Status {
        version: found.version as f64,
        epoch: found.epoch,
        issued_at: millis(found.issued_at),
        stale_after: millis(found.stale_after),
        expires_at: millis(found.expires_at),
        dead_at: millis(found.dead_at),
        usage_as_of: millis(found.usage_as_of),
        age: found.age_millis as f64,
        stale: found.stale,
        clock: if found.clock_trusted { "trusted" } else { "untrusted" },
        source: found.source.as_str(),
        subjects: found.subjects.map(|subjects| subjects as f64),
    })
}

pub(super) fn fit(found: Result<gate::Fit, Error>) -> Result<JsValue, JsValue> {
    let gate::Fit { fits, missing, unknown } = handed(found)?;
    let missing = missing.iter().map(|missing| Shortfall {
        feature: &missing.feature,
        amount: missing.amount.map(Amount::to_f64),
        reason: missing.reason.as_str(),
    });
    Ok(told(&Fit { fits, missing: missing.collect(), unknown }))
}

pub(super) fn handed<T>(found: Result<T, Error>) -> Result<T, JsValue> {
    found.map_err(|error| thrown(&error))
}

#[derive(Serialize)]
struct Fit<'a> {
    fits: bool,
    missing: Vec<Shortfall<'a>>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
struct Shortfall<'a> {
    feature: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<f64>,
    reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    version: f64,
    epoch: u32,
    issued_at: f64,
    stale_after: f64,
    expires_at: f64,
    dead_at: f64,
    usage_as_of: f64,
    age: f64,
    stale: bool,
    clock: &'static str,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subjects: Option<f64>,
}

/// Without an entitlement there is no instant, and nothing was burnt.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<f64>,
    grants: Vec<Grant<'a>>,
    segments: Vec<Segment<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct History<'a> {
    windows: Vec<Window>,
    segments: Vec<Segment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Grant<'a> {
    id: &'a str,
    state: &'static str,
    balance: f64,
    burnt: f64,
    amount: f64,
    effective_at: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<f64>,
}

impl<'a> Grant<'a> {
    fn of(account: &engine::GrantAccount, ids: &'a [String]) -> Self {
        Self {
            id: id(ids, account.index),
            state: account.state.as_str(),
            balance: account.balance.to_f64(),
            burnt: account.burnt.to_f64(),
            amount: account.amount.to_f64(),
            effective_at: millis(account.effective_at),
            ends_at: account.ends_at.map(millis),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Segment<'a> {
    from: f64,
    to: f64,
    balances_at_start: Vec<Share<'a>>,
    overage_at_start: f64,
    grant_usages: Vec<Share<'a>>,
    usage: f64,
    overage: f64,
}

impl<'a> Segment<'a> {
    fn of(segment: &engine::Segment, ids: &'a [String]) -> Self {
        let share = |(index, amount): (usize, &Amount)| Share {
            id: id(ids, index),
            amount: amount.to_f64(),
        };
        let usages = segment.grant_usages.iter().map(|(index, amount)| (*index, amount));
        Self {
            from: millis(segment.from),
            to: millis(segment.to),
            balances_at_start: segment.balances_at_start.iter().enumerate().map(share).collect(),
            overage_at_start: segment.overage_at_start.to_f64(),
            grant_usages: usages.map(share).collect(),
            usage: segment.usage.to_f64(),
            overage: segment.overage.to_f64(),
        }
    }
}

/// What a grant has to do with a segment.
#[derive(Serialize)]
struct Share<'a> {
    id: &'a str,
    amount: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    from: f64,
    to: f64,
    usage: f64,
    balance_at_start: f64,
}

impl Window {
    fn of(window: &engine::Window) -> Self {
        Self {
            from: millis(window.from),
            to: millis(window.to),
            usage: window.usage.to_f64(),
            balance_at_start: window.balance_at_start.to_f64(),
        }
    }
}

/// The id of the grant at a place of the program.
fn id(ids: &[String], index: usize) -> &str {
    ids.get(index).map_or("", String::as_str)
}

pub(super) fn millis(instant: Instant) -> f64 {
    instant.millis() as f64
}
