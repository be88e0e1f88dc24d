//! What a case expects, and what whoever is tested answers: the same types, from and to JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::question::Question;
use crate::{Amount, Instant, KitError};

/// The answer to one [`Question`], of the variant that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To `metered.value`.
    Value(Value),
    /// To `metered.history`.
    History(History),
    /// To `engine.run`.
    Run(Run),
    /// To `grant.effectivePeriod`.
    EffectivePeriod(EffectivePeriod),
    /// To `grant.activeAt`.
    Active(Active),
    /// To `grant.order`.
    Order(Order),
    /// To `access`.
    Access(Access),
    /// To the time operations that yield an instant.
    Point(Point),
    /// To the time operations that yield a period.
    Period(Period),
    /// To the time operation `resets`.
    Resets(Resets),
}

impl Answer {
    /// Reads the answer to `question` from JSON.
    ///
    /// # Errors
    /// When the JSON is not of the shape that the question asks for.
    pub fn parse(question: &Question, json: &str) -> Result<Self, KitError> {
        use crate::question::Time;
        Ok(match question {
            Question::Value { .. } => Self::Value(serde_json::from_str(json)?),
            Question::History { .. } => Self::History(serde_json::from_str(json)?),
            Question::Run(_) => Self::Run(serde_json::from_str(json)?),
            Question::EffectivePeriod(_) => Self::EffectivePeriod(serde_json::from_str(json)?),
            Question::ActiveAt { .. } => Self::Active(serde_json::from_str(json)?),
            Question::Order { .. } => Self::Order(serde_json::from_str(json)?),
            Question::Access(_) => Self::Access(serde_json::from_str(json)?),
            Question::Time(Time::Period { .. } | Time::UsagePeriod { .. }) => {
                Self::Period(serde_json::from_str(json)?)
            }
            Question::Time(Time::Resets { .. }) => Self::Resets(serde_json::from_str(json)?),
            Question::Time(_) => Self::Point(serde_json::from_str(json)?),
        })
    }
}

/// The value of a metered entitlement at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Value {
    /// The sum over the active grants.
    pub balance: Amount,
    /// Usage in the current usage period.
    pub usage: Amount,
    /// Usage that no grant covers.
    pub overage: Amount,
    /// Burnt from grants in the current usage period, plus the balance.
    pub total_available_grant_amount: Amount,
    /// Whether there is access.
    pub has_access: bool,
    /// What is left of each grant that is active.
    pub grant_balances: BTreeMap<String, Amount>,
    /// The usage period that holds the instant.
    pub current_usage_period: Period,
    /// How it came about; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
}

/// A stretch in which no grant, refill or reset event happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Its start.
    pub from: Instant,
    /// Its end; a reset is a segment of its own that ends where it starts.
    pub to: Instant,
    /// The balances after the events at the start, before usage; absent means 0.
    pub balance_at_start: BTreeMap<String, Amount>,
    /// What was burnt from which grant.
    pub grant_usages: Vec<GrantUsage>,
    /// Usage in the segment, without carried overage.
    pub total_usage: Amount,
    /// The overage at the end.
    pub overage: Amount,
}

/// What was burnt from a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantUsage {
    /// The grant.
    pub grant_id: String,
    /// How much.
    pub usage: Amount,
}

/// The result of an engine run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The instant reached.
    pub at: Instant,
    /// The sum of the balances.
    pub balance: Amount,
    /// Usage that no grant covers.
    pub overage: Amount,
    /// Usage since the last reset.
    pub usage: Amount,
    /// Burnt from grants since the last reset.
    pub total_grant_usage: Amount,
    /// What is left of every relevant grant, 0 for inactive ones.
    pub grant_balances: BTreeMap<String, Amount>,
    /// How it came about; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
}

/// The history of a metered entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Aligned to the window size, none left out.
    pub windows: Vec<HistoryWindow>,
    /// Those that start in the range asked for.
    pub segments: Vec<Segment>,
}

/// A window of history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryWindow {
    /// Inclusive.
    pub from: Instant,
    /// Exclusive.
    pub to: Instant,
    /// Usage in the window.
    pub usage: Amount,
    /// The balance just after the events at the start.
    pub balance_at_start: Amount,
}

/// When a grant is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivePeriod {
    /// Inclusive.
    pub from: Instant,
    /// Exclusive; absent means endless.
    pub to: Option<Instant>,
}

/// Whether a grant is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// Whether it is.
    pub active: bool,
}

/// A burn order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The ids, first to burn first.
    pub order: Vec<String>,
}

/// Whether an entitlement gives access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Whether it is active; a case need not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether there is access.
    pub has_access: bool,
    /// Why not: outer absence, in a case, leaves it open; inner absence means there is no reason.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub reason: Option<Option<String>>,
}

/// An instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The instant.
    pub result: Instant,
}

/// A half-open range of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Inclusive.
    pub from: Instant,
    /// Exclusive.
    pub to: Instant,
}

/// Starts of usage periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resets {
    /// Those in the range.
    pub times: Vec<Instant>,
    /// The same with the timeline's first effective time before them.
    pub times_with_first: Vec<Instant>,
}

fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}
