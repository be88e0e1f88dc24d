//! What facts tell of times that a snapshot has summed up.
//!
//! A snapshot keeps the usage since its opening as one sum, and nothing before; the facts beside it
//! keep when it was. So what lies behind the last usage is computed from them, by the same engine.

use edgegrant::Instant;
use edgegrant::engine::program::{Program, Rule, Usage};
use edgegrant::engine::{self, Explanation, Question};
use edgegrant::gate::{Answer, Explained, Reason};
use edgegrant::model::Entitlement;

/// The ledger of an entitlement whose usage is counted over time.
pub(super) struct Ledger(pub(super) engine::Ledger);

impl Ledger {
    pub(super) fn new(given: &Entitlement) -> Option<Self> {
        let ledger = engine::ledger(given).ok()?;
        matches!(ledger.metered.usage, Usage::Flow { .. }).then_some(Self(ledger))
    }

    /// From when on it is known.
    pub(super) const fn begins(&self) -> Instant {
        self.0.metered.opening.at
    }

    /// What a snapshot says of an instant, or what the facts say if it cannot tell it apart from
    /// later ones.
    pub(super) fn explain(&self, explained: Explained, at: Instant) -> Explained {
        let reason = explained.answer.reason;
        let is_later = |event: &engine::UsageEvent| event.at >= at.ceil_minute();
        let is_summed_up = self.0.events.last().is_some_and(is_later);
        if reason != Reason::BeforeOpening && !(is_summed_up && is_counted(reason)) {
            return explained;
        }
        let explanation = self.decide(at);
        let decision = &explanation.decision;
        let numbers = decision.numbers;
        let answer = Answer {
            has_access: decision.has_access,
            reason: decision.reason.into(),
            balance: numbers.and_then(|numbers| numbers.balance),
            usage: numbers.and_then(|numbers| numbers.usage),
            overage: numbers.and_then(|numbers| numbers.overage),
            total_available: numbers.and_then(|numbers| numbers.total_available),
            ..explained.answer
        };
        let grant_ids = self.0.grant_ids.clone();
        Explained { answer, explanation: Some(explanation), grant_ids }
    }

    /// What the facts say of an instant.
    pub(super) fn decide(&self, at: Instant) -> Explanation {
        let question = Question { extra: &self.0.events, ..Question::at(at) };
        engine::explain(&self.program(), &question)
    }

    /// The rule alone: whether it is in force, the snapshot has said.
    fn program(&self) -> Program {
        let rule = Rule::Metered(self.0.metered.clone());
        Program { suspended: false, active_from: None, active_to: None, grace_until: None, rule }
    }
}

/// Whether a decision is one about what is left.
const fn is_counted(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::WithinBalance | Reason::Exhausted | Reason::SoftLimit | Reason::LastKnown
    )
}
