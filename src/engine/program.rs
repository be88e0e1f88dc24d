//! The compiled form of one entitlement: plain data that can be signed, shipped and compared.
//!
//! Every instant here is already rounded as the rules ask, grants stand in burn order, and names
//! are left out: a grant is its place in the list.

use crate::amount::Amount;
use crate::time::{Instant, Recurrence};

/// One entitlement, ready to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Denies whatever else holds.
    pub suspended: bool,
    /// From when it is active, inclusive; `None` is always.
    pub active_from: Option<Instant>,
    /// Until when it is active, exclusive; `None` is for ever.
    pub active_to: Option<Instant>,
    /// Before this, present use keeps access.
    pub grace_until: Option<Instant>,
    /// What decides while it is active.
    pub rule: Rule,
}

/// What decides while an entitlement is active.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "programs are decoded one at a time into one place")]
pub enum Rule {
    /// Access.
    Boolean,
    /// Access; a config is kept beside the program.
    Static,
    /// Access while something is left.
    Metered(Metered),
}

/// The rule of a metered entitlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Access without counting.
    pub unlimited: bool,
    /// Access also without balance.
    pub soft_limit: bool,
    /// How usage is known.
    pub usage: Usage,
    /// When usage resets. The first period is that of the opening.
    pub timeline: Timeline,
    /// In burn order: priority, then expiration, creation and id, which were compared when
    /// compiling.
    pub grants: Vec<Grant>,
    /// The state that later instants are computed from.
    pub opening: Opening,
    /// Usage before this instant is included.
    pub usage_as_of: Instant,
}

/// How the usage of a metered entitlement is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Burnt from grants.
    Flow {
        /// Units used from the opening until `usage_as_of`.
        since_opening: Amount,
    },
    /// Held against the grants active now.
    Level {
        /// Units in use.
        in_use: Amount,
    },
    /// Not known.
    Unknown,
    /// The source's own answer, which holds until the next boundary.
    Value {
        /// Units left.
        balance: Amount,
        /// Units used in the usage period.
        usage: Amount,
        /// Units used that no grant covered.
        overage: Amount,
    },
}

/// When usage resets: stretches, each with its own grid of automatic resets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// At least one, in order of time. Each but the first begins with a reset by hand.
    pub stretches: Vec<Stretch>,
    /// Whether overage outlives automatic resets.
    pub preserve_overage: bool,
}

/// A part of a timeline with one grid of automatic resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// When it begins.
    pub from: Instant,
    /// The grid; `None` never resets by itself.
    pub grid: Option<Recurrence>,
    /// Whether overage outlives the reset that begins it.
    pub preserve_overage: bool,
}

/// An amount that may be used within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Units; a refill restores them.
    pub amount: Amount,
    /// For explanations: lower burns first.
    pub priority: u8,
    /// From when it counts: a whole minute.
    pub effective_at: Instant,
    /// When it expires, exclusive.
    pub expires_at: Option<Instant>,
    /// When it was voided: a whole minute.
    pub voided_at: Option<Instant>,
    /// When it was deleted.
    pub deleted_at: Option<Instant>,
    /// When it is filled up to its amount again.
    pub recurrence: Option<Recurrence>,
    /// At a reset the balance is raised to this.
    pub min_rollover: Amount,
    /// At a reset the balance is cut to this, which wins.
    pub max_rollover: Amount,
}

/// The left limit of the state at an instant: usage before `at` is burnt, and nothing that happens
/// *at* `at` has happened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The instant.
    pub at: Instant,
    /// When the usage period began that `at` is in; the first stretch of the timeline begins here.
    /// Equal to `at` only where measuring begins.
    pub period_start: Instant,
    /// What is left of each grant, in the order of the grants.
    pub balances: Vec<Amount>,
    /// Usage that no grant covered.
    pub overage: Amount,
    /// Usage in the period so far.
    pub usage: Amount,
    /// What was burnt from grants in the period so far.
    pub grant_usage: Amount,
}

/// What holds without looking at grants or at the calendar: the state between two boundaries.
///
/// It is computed when compiling and kept beside the program, so that most questions cost one
/// comparison and one subtraction. Like every balance it is that of a whole minute: a question is
/// rounded up before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steady {
    /// It holds for minutes after this.
    pub after: Instant,
    /// It holds for minutes before this.
    pub until: Instant,
    /// The first millisecond at which the answer may differ without new usage.
    pub changes_at: Option<Instant>,
    /// Units left; negative is overage.
    pub net: Amount,
    /// Where nothing is left: the earliest instant with access if nothing is used any more.
    pub retry_at: Option<Instant>,
    /// What is counted besides.
    pub figures: Figures,
}

/// A span of time, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant in it.
    pub from: Instant,
    /// The first instant after it; `None` never ends.
    pub to: Option<Instant>,
}

/// What is counted besides the units left, while a state is steady.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The usage period.
    pub period: Period,
    /// Units used in it; `None` when usage is not known.
    pub usage: Option<Amount>,
    /// Units burnt in it and units left, together; `None` where nothing is burnt.
    pub total_available: Option<Amount>,
}
