//! The front of an entitlement: what most questions need.

use crate::amount::Amount;
use crate::engine::program::Usage;
#[cfg(doc)]
use crate::engine::program::{Metered, Opening, Program, Steady, Timeline};
use crate::time::Instant;

/// What most questions need, read without looking at grants or at the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// As in [`Program`].
    pub suspended: bool,
    /// As in [`Program`].
    pub active_from: Option<Instant>,
    /// As in [`Program`].
    pub active_to: Option<Instant>,
    /// As in [`Program`].
    pub grace_until: Option<Instant>,
    /// As in [`Program`], without what needs memory.
    pub rule: OutlineRule,
}

/// What decides while an entitlement is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutlineRule {
    /// Access.
    Boolean,
    /// Access, with a config.
    Static,
    /// Access while something is left.
    Metered(OutlineMetered),
}

/// The part of a metered rule that has a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlineMetered {
    /// As in [`Metered`].
    pub unlimited: bool,
    /// As in [`Metered`].
    pub soft_limit: bool,
    /// As in [`Timeline`].
    pub preserve_overage: bool,
    /// As in [`Metered`].
    pub usage: Usage,
    /// As in [`Opening`].
    pub opening_at: Instant,
    /// As in [`Metered`].
    pub usage_as_of: Instant,
    /// The state between two boundaries, when the compiler could tell.
    pub steady: Option<OutlineSteady>,
}

/// The part of a [`Steady`] state that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlineSteady {
    /// As in [`Steady`].
    pub after: Instant,
    /// As in [`Steady`].
    pub until: Instant,
    /// As in [`Steady`].
    pub changes_at: Option<Instant>,
    /// As in [`Steady`].
    pub net: Amount,
    pub(super) period_ends: bool,
}
