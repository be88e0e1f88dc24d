//! Why an answer is what it is.

use super::decide::{Decision, Question, decide};
use super::program::{Grant, Metered, Program, Rule};
use super::record::{Recorder, Segment};
use super::run::{Run, UsageEvent};
use crate::amount::Amount;
use crate::time::Instant;

/// The derivation of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision that is explained.
    pub decision: Decision,
    /// The whole minute that balances were computed for.
    pub evaluated_at: Instant,
    /// The grants in burn order.
    pub grants: Vec<GrantAccount>,
    /// The latest phases and resets of the burn-down, oldest first.
    pub segments: Vec<Segment>,
    /// Whether earlier segments were left out.
    pub truncated: bool,
}

/// What a grant did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantAccount {
    /// Its place in the program.
    pub index: usize,
    /// Whether it counts, and why not.
    pub state: GrantState,
    /// Units left.
    pub balance: Amount,
    /// Units burnt in the segments listed.
    pub burnt: Amount,
    /// Units that it gives; a refill restores them.
    pub amount: Amount,
    /// From when it counts.
    pub effective_at: Instant,
    /// Until when it counts, exclusive; `None` is for ever.
    pub ends_at: Option<Instant>,
}

/// Whether a grant counts, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It counts and something is left.
    Active,
    /// It counts and nothing is left.
    Exhausted,
    /// It begins later.
    NotYet,
    /// It expired.
    Expired,
    /// It was voided.
    Voided,
    /// It was deleted.
    Deleted,
}

/// The state of a metered entitlement at an instant, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurnDown {
    /// What is left of each grant, in the order of the grants, whether it counts or not.
    pub balances: Vec<Amount>,
    /// Usage that no grant covered.
    pub overage: Amount,
    /// Usage in the usage period.
    pub usage: Amount,
    /// What was burnt from grants in the usage period.
    pub grant_usage: Amount,
    /// Phases and resets, oldest first.
    pub segments: Vec<Segment>,
}

impl Metered {
    /// The answer at `at`, with every segment from `from` on, of which there are at most 4096.
    ///
    /// Usage in `extra` is in order of time. Before the opening nothing is known, so an earlier
    /// `at` gives the opening itself.
    #[must_use]
    pub fn burn_down(&self, extra: &[UsageEvent], from: Instant, at: Instant) -> BurnDown {
        let mut run = Run::new(self, extra);
        run.settle(at);
        // What is written down may break off before `at`, so it is not what the state is told from.
        let mut walk = Run::new(self, extra);
        walk.horizon = at;
        walk.advance(from);
        let mut walk = walk.recording(Recorder::new(from, WALKED));
        walk.settle(at);
        BurnDown {
            segments: walk.recorder.take().map(|recorder| recorder.segments).unwrap_or_default(),
            balances: run.balances,
            overage: run.overage,
            usage: run.usage,
            grant_usage: run.grant_usage,
        }
    }
}

impl GrantState {
    /// The word for it, the same everywhere.
    ///
    /// ```
    /// assert_eq!(edgegrant::engine::GrantState::NotYet.as_str(), "not-yet");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Exhausted => "exhausted",
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::Voided => "voided",
            Self::Deleted => "deleted",
        }
    }
}

/// At most this many segments are listed.
const SEGMENTS: usize = 128;
/// At most this many segments are walked through to find them.
const WALKED: usize = 4096;

/// Explains what [`decide`] answers to the same question.
///
/// ```
/// use edgegrant::engine::program::{Program, Rule};
/// use edgegrant::engine::{Question, explain};
/// use edgegrant::Instant;
///
/// let program = Program {
///     suspended: false,
///     active_from: None,
///     active_to: None,
///     grace_until: None,
///     rule: Rule::Boolean,
/// };
/// let now = Instant::parse("2024-02-01T00:00:10Z")?;
/// let explanation = explain(&program, &Question::at(now));
/// assert_eq!(explanation.evaluated_at.to_string(), "2024-02-01T00:01:00Z");
/// # Ok::<(), edgegrant::Error>(())
/// ```
#[must_use]
pub fn explain(program: &Program, question: &Question<'_>) -> Explanation {
    let decision = decide(program, question);
    let evaluated_at = question.now.ceil_minute();
    let mut explanation = Explanation {
        decision,
        evaluated_at,
        grants: Vec::new(),
        segments: Vec::new(),
        truncated: false,
    };
    if let Rule::Metered(metered) = &program.rule {
        explanation.add_burn_down(metered, question);
    }
    explanation
}

impl Explanation {
    fn add_burn_down(&mut self, metered: &Metered, question: &Question<'_>) {
        let at = self.evaluated_at;
        let balances = if metered.flows() && at >= metered.opening.at {
            let start = metered.timeline.period_at(at).from;
            let burn_down = metered.burn_down(question.extra, start, at);
            self.take_segments(burn_down.segments);
            burn_down.balances
        } else {
            metered.grants.iter().map(|grant| grant.amount).collect()
        };
        let accounts = metered.grants.iter().zip(balances).enumerate();
        self.grants = accounts
            .map(|(index, (grant, balance))| {
                let state = grant.state_at(at, balance);
                let counts = matches!(state, GrantState::Active | GrantState::Exhausted);
                let balance = if counts { balance } else { Amount::ZERO };
                let (amount, effective_at, ends_at) =
                    (grant.amount, grant.effective_at, grant.end());
                let burnt = self.burnt_from(index);
                GrantAccount { index, state, balance, burnt, amount, effective_at, ends_at }
            })
            .collect();
    }

    fn take_segments(&mut self, mut segments: Vec<Segment>) {
        self.truncated = segments.len() > SEGMENTS;
        self.segments = segments.split_off(segments.len().saturating_sub(SEGMENTS));
    }

    fn burnt_from(&self, index: usize) -> Amount {
        let usages = self.segments.iter().flat_map(|segment| &segment.grant_usages);
        usages.filter(|(grant, _)| *grant == index).map(|(_, amount)| *amount).sum()
    }
}

impl Grant {
    fn state_at(&self, at: Instant, balance: Amount) -> GrantState {
        let end = self.end();
        if at < self.effective_at {
            GrantState::NotYet
        } else if end.is_none_or(|end| at < end) {
            if balance.is_zero() { GrantState::Exhausted } else { GrantState::Active }
        } else if self.voided_at.is_some_and(|voided| end.is_some_and(|end| voided <= end)) {
            GrantState::Voided
        } else if self.deleted_at.is_some_and(|deleted| end.is_some_and(|end| deleted <= end)) {
            GrantState::Deleted
        } else {
            GrantState::Expired
        }
    }
}
