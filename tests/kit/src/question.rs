//! What a case asks: the inputs of the conformance format.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Amount, Instant, Interval};

/// One question. A case may hold several: a ledger with ten queries asks ten.
///
/// Serialised it carries its kind, so that a harness in another language can dispatch on it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind")]
pub enum Question {
    /// The value of a metered entitlement at an instant.
    #[serde(rename = "metered.value")]
    Value {
        /// The facts.
        ledger: Ledger,
        /// The instant asked for; the answer is that of the full minute at or after it.
        at: Instant,
    },
    /// The windows and segments of a metered entitlement.
    #[serde(rename = "metered.history")]
    History {
        /// The facts.
        ledger: Ledger,
        /// The range asked for.
        query: HistoryQuery,
    },
    /// One run of the engine from a given state.
    #[serde(rename = "engine.run")]
    Run(Run),
    /// When a grant is active.
    #[serde(rename = "grant.effectivePeriod")]
    EffectivePeriod(Window),
    /// Whether a grant is active at an instant.
    #[serde(rename = "grant.activeAt")]
    ActiveAt {
        /// The grant's times.
        window: Window,
        /// The instant asked for, exactly.
        at: Instant,
    },
    /// In which order grants burn.
    #[serde(rename = "grant.order")]
    Order {
        /// The grants in the order of their creation.
        grants: Vec<OrderGrant>,
    },
    /// Whether an entitlement gives access.
    #[serde(rename = "access")]
    Access(Access),
    /// Arithmetic of recurrences, periods and expiry.
    #[serde(rename = "time")]
    Time(Time),
}

/// The facts about one metered entitlement, with what is asked of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// The entitlement.
    pub entitlement: Entitlement,
    /// The grants in the order of their creation.
    pub grants: Vec<Grant>,
    /// Usage events in any order.
    #[serde(deserialize_with = "null_is_empty")]
    pub usage: Vec<Event>,
    /// Manual resets.
    #[serde(deserialize_with = "null_is_empty")]
    pub resets: Vec<Reset>,
    /// The instants whose value is asked for.
    #[serde(default)]
    pub queries: Vec<Instant>,
    /// The history asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_query: Option<HistoryQuery>,
}

/// A metered entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    /// Usage before this instant does not count.
    pub measure_usage_from: Instant,
    /// The grid of the automatic resets.
    pub usage_period: Recurrence,
    /// Access also without balance.
    #[serde(default)]
    pub is_soft_limit: bool,
    /// Overage outlives a reset, unless a manual reset says otherwise.
    #[serde(default)]
    pub preserve_overage_at_reset: bool,
}

/// Points at `anchor` plus any whole multiple of `interval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The distance of two points.
    pub interval: Interval,
    /// One of the points.
    pub anchor: Instant,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Unique in the ledger; the last tie-break of the burn order.
    pub id: String,
    /// What it gives, at its activation and at each refill.
    pub amount: Amount,
    /// Lower burns first.
    #[serde(default)]
    pub priority: u8,
    /// From when it counts.
    pub effective_at: Instant,
    /// Its lifetime, from which `expires_at` follows when that is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// From when it does not count any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// When it is filled up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// The least that is left after a reset.
    #[serde(default)]
    pub min_rollover: Amount,
    /// The most that is left after a reset. Required: sources differ in its default.
    pub max_rollover: Amount,
    /// From when it is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided_at: Option<Instant>,
    /// From when it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Instant>,
    /// When it was created; absent means in the order of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Instant>,
}

/// A lifetime counted from `effectiveAt` with overflowing calendar arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiration {
    /// The unit.
    pub duration: Duration,
    /// How many of it.
    pub count: u32,
}

/// The unit of a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Duration {
    /// 3,600 seconds.
    Hour,
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// Usage at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// How much; may be negative.
    pub value: Amount,
}

/// A manual reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reset {
    /// When.
    pub at: Instant,
    /// Whether the grid of automatic resets stays as it was.
    #[serde(default)]
    pub retain_anchor: bool,
    /// Overrides the entitlement's flag for this reset only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserve_overage: Option<bool>,
}

/// A range of history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryQuery {
    /// Floored to the minute.
    pub from: Instant,
    /// Raised to the minute.
    pub to: Instant,
    /// The size of the windows, which are aligned to it.
    pub window_size: WindowSize,
}

/// The size of a history window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WindowSize {
    /// One hour.
    Hour,
    /// One day in UTC.
    Day,
}

/// The input of one engine run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The grants in the order of their creation.
    pub grants: Vec<Grant>,
    /// Usage events; where absent, `usage_by_phase` is all that is known.
    #[serde(default)]
    pub usage: Option<Vec<Event>>,
    /// Usage per phase.
    #[serde(default)]
    pub usage_by_phase: Vec<PhaseUsage>,
    /// The state to start from.
    pub starting_snapshot: StartingSnapshot,
    /// Instants after the start, up to and including `until`.
    #[serde(deserialize_with = "null_is_empty")]
    pub resets: Vec<Instant>,
    /// Overage outlives each of the resets.
    pub preserve_overage_at_reset: bool,
    /// Where the run ends.
    pub until: Instant,
}

impl Run {
    /// The usage as events: those given, or one at the start of each phase.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let by_phase = || {
            let event = |phase: &PhaseUsage| Event { at: phase.from, value: phase.value };
            self.usage_by_phase.iter().map(event).collect()
        };
        self.usage.clone().unwrap_or_else(by_phase)
    }
}

/// Usage of `[from, to)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhaseUsage {
    /// Inclusive.
    pub from: Instant,
    /// Exclusive.
    pub to: Instant,
    /// How much.
    pub value: Amount,
}

/// The state an engine run starts from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartingSnapshot {
    /// Its instant.
    pub at: Instant,
    /// What is left of each grant, by id.
    pub balances: BTreeMap<String, Amount>,
    /// Usage that no grant covered.
    pub overage: Amount,
    /// Usage in the period so far.
    pub usage: Amount,
    /// Burnt from grants in the period so far.
    pub total_grant_usage: Amount,
}

/// The times that decide when a grant is active.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Inclusive start.
    pub effective_at: Instant,
    /// An exclusive end.
    #[serde(default)]
    pub expires_at: Option<Instant>,
    /// An exclusive end.
    #[serde(default)]
    pub deleted_at: Option<Instant>,
    /// An exclusive end.
    #[serde(default)]
    pub voided_at: Option<Instant>,
}

/// What of a grant decides its place in the burn order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderGrant {
    /// Unique.
    pub id: String,
    /// Lower burns first.
    #[serde(default)]
    pub priority: u8,
    /// From where the lifetime counts; needed only with one.
    #[serde(default)]
    pub effective_at: Option<Instant>,
    /// The lifetime.
    #[serde(default)]
    pub expiration: Option<Expiration>,
    /// When it was created; absent means in the order of the list.
    #[serde(default)]
    pub created_at: Option<Instant>,
}

/// An entitlement of any type, or none, whose access is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Absent: there is no entitlement.
    #[serde(rename = "type")]
    pub kind: Option<EntitlementType>,
    /// Given instead of the times that decide it.
    #[serde(default)]
    pub active: Option<bool>,
    /// Inclusive start; absent means `created_at`.
    #[serde(default)]
    pub active_from: Option<Instant>,
    /// Exclusive end.
    #[serde(default)]
    pub active_to: Option<Instant>,
    /// Exclusive end.
    #[serde(default)]
    pub deleted_at: Option<Instant>,
    /// The start where `active_from` is absent.
    #[serde(default)]
    pub created_at: Option<Instant>,
    /// The instant asked for, exactly.
    #[serde(default)]
    pub at: Option<Instant>,
    /// The balance at that instant.
    #[serde(default)]
    pub balance: Amount,
    /// Access also without balance.
    #[serde(default)]
    pub is_soft_limit: bool,
    /// Whether the feature is declared.
    #[serde(default = "yes")]
    pub feature_exists: bool,
}

fn yes() -> bool {
    true
}

/// The type of an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntitlementType {
    /// On or off.
    Boolean,
    /// On, with a config.
    Static,
    /// On while there is balance.
    Metered,
}

/// A question of pure time arithmetic.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", content = "input", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Time {
    /// The first point at or after `t`, or after it.
    Next(Near),
    /// The last point at or before `t`, or before it.
    Prev(Near),
    /// The period `[from, to)` that holds `t`.
    Period {
        /// The distance of two points.
        interval: Interval,
        /// One of the points.
        anchor: Instant,
        /// The instant.
        t: Instant,
    },
    /// The `n`-th point after the anchor.
    Nth {
        /// The distance of two points.
        interval: Interval,
        /// The point 0.
        anchor: Instant,
        /// May be negative.
        n: i64,
    },
    /// The anchor plus one interval.
    Add {
        /// What to add.
        interval: Interval,
        /// Where to start.
        anchor: Instant,
    },
    /// The current usage period at `t`.
    UsagePeriod {
        /// By effective time, ascending.
        timeline: Vec<TimelineEntry>,
        /// The instant.
        t: Instant,
        /// The zone of the arithmetic; absent means UTC, all else may be skipped.
        #[serde(default)]
        tz: Option<String>,
    },
    /// The starts of usage periods in `[from, to]`.
    Resets {
        /// By effective time, ascending.
        timeline: Vec<TimelineEntry>,
        /// Inclusive.
        from: Instant,
        /// Inclusive.
        to: Instant,
    },
    /// The anchor plus a lifetime.
    Expiration {
        /// The unit.
        duration: Duration,
        /// How many of it.
        count: u32,
        /// Where to start.
        anchor: Instant,
    },
}

/// The point of a recurrence nearest to an instant on one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Near {
    /// The distance of two points.
    pub interval: Interval,
    /// One of the points.
    pub anchor: Instant,
    /// The instant.
    pub t: Instant,
    /// Whether a point at `t` itself counts.
    pub boundary: Boundary,
}

/// Whether a point at the instant itself counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundary {
    /// It does.
    Inclusive,
    /// It does not.
    Exclusive,
}

/// From `at` on, usage periods follow this recurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Inclusive.
    pub at: Instant,
    /// The distance of two points.
    pub interval: Interval,
    /// One of the points.
    pub anchor: Instant,
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
