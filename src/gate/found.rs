//! An entitlement that was found, and what it answers.

use super::answer::{Answer, Reason};
use super::freshness::{Rung, Standing};
use super::{AskOptions, Explained, NO_SNAPSHOT, Policies, Told};
use crate::amount::Amount;
use crate::engine::program::{Rule, Steady};
use crate::engine::{self, HistoryQuery, Question, Terms, UsageEvent, WindowSize, decide_steadily};
use crate::error::Error;
use crate::snapshot::{Entry, Feature, Outline, OutlineRule, OutlineSteady, WhenExpired};
use crate::time::Instant;

/// What a question leads to: an entitlement, or why there is none.
pub(super) type Sought<'a> = Result<Found<'a>, Missing>;

/// Why no entitlement was found.
pub(super) struct Missing {
    pub(super) reason: Reason,
    pub(super) standing: Option<Standing>,
}

/// Whether the feature may be used; nothing is allocated.
#[inline(always)]
pub(super) fn has_access(sought: &Sought<'_>, options: &AskOptions) -> bool {
    match sought {
        Ok(found) => match found.quick(options) {
            Some(reason) => reason.has_access(),
            None => found.answer(options).has_access,
        },
        Err(missing) => missing.reason.has_access(),
    }
}

/// The full decision.
#[inline(always)]
pub(super) fn check<'a>(sought: &Sought<'a>, options: &AskOptions) -> Answer<&'a str> {
    match sought {
        Ok(found) => found.answer(options),
        Err(missing) => missing.answer(),
    }
}

/// The decision with its derivation.
pub(super) fn explain(sought: &Sought<'_>, options: &AskOptions) -> Explained {
    match sought {
        Ok(found) => found.explain(options),
        Err(missing) => {
            Explained { answer: missing.answer().owned(), explanation: None, grant_ids: Vec::new() }
        }
    }
}

/// Usage and balances over time.
pub(super) fn history(
    sought: &Sought<'_>,
    from: Instant,
    to: Option<Instant>,
    window: WindowSize,
) -> Result<Told, Error> {
    let found = sought.as_ref().map_err(Missing::error)?;
    let Rule::Metered(metered) = found.entry.program()?.rule else { return Err(NOT_METERED) };
    let to = to.unwrap_or(found.standing.now);
    let history = metered.history(&HistoryQuery { from, to, window, extra: found.seen })?;
    Ok(Told { history, grant_ids: found.entry.grant_ids(&found.feature)? })
}

const NOT_METERED: Error = Error::new(
    "history-not-metered-by-usage",
    "the entitlement does not count usage over time; only those that do have a history",
);

impl Missing {
    fn answer<'a>(&self) -> Answer<&'a str> {
        Answer::bare(self.reason, self.standing)
    }

    /// The same where there is nothing to answer with.
    const fn error(&self) -> Error {
        if self.standing.is_none() {
            return NO_SNAPSHOT;
        }
        Error::new(
            self.reason.as_str(),
            "there is no entitlement to tell of; the code says why, as the reason of `check` does",
        )
    }
}

/// An entitlement of a subject, at one moment.
pub(super) struct Found<'a> {
    pub(super) standing: Standing,
    pub(super) feature: Feature<'a>,
    pub(super) entry: Entry<'a>,
    /// Usage seen here.
    pub(super) seen: &'a [UsageEvent],
    pub(super) policies: &'a Policies,
}

impl<'a> Found<'a> {
    /// The reason alone, where it can be told without grants and calendar.
    ///
    /// `None` when it has to be computed.
    #[inline(always)]
    pub(super) fn quick(&self, options: &AskOptions) -> Option<Reason> {
        let at = self.instant(options);
        self.entry.glance(|outline| {
            let mut computed = false;
            let reason = terms(outline).reason(at, options.amount, || {
                let net = self.quick_net(outline, options, at);
                computed = net.is_none();
                net.map(Amount::or_zero)
            });
            if computed { None } else { Some(self.under_policy(reason.into(), false)) }
        })
    }

    /// Units left, negative for overage, where the state between two boundaries says so.
    #[inline(always)]
    pub(super) fn quick_net(
        &self,
        outline: &Outline,
        options: &AskOptions,
        at: Instant,
    ) -> Option<Amount> {
        let OutlineRule::Metered(metered) = outline.rule else { return None };
        let OutlineSteady { after, until, net, .. } = metered.steady?;
        let question = self.question(options, at);
        Some(net - question.used_steadily(after, until, metered.usage_as_of)?)
    }

    /// The full answer.
    pub(super) fn answer(&self, options: &AskOptions) -> Answer<&'a str> {
        let question = self.question(options, self.instant(options));
        let look = |outline: &Outline, steady: Option<&Steady>| {
            let terms = terms(outline);
            match decide_steadily(&terms, counted(outline, steady), &question) {
                Some(decision) => self.answer_with(terms.kind, &decision),
                None => self.computed(&question),
            }
        };
        self.entry.look(look, || self.page_invalid())
    }

    #[cold]
    fn computed(&self, question: &Question<'_>) -> Answer<&'a str> {
        let Ok(program) = self.entry.program() else { return self.page_invalid() };
        self.answered(program.terms().kind, &engine::decide(&program, question))
    }

    /// The answer and how it came about.
    pub(super) fn explain(&self, options: &AskOptions) -> Explained {
        let (Ok(program), Ok(grant_ids)) =
            (self.entry.program(), self.entry.grant_ids(&self.feature))
        else {
            let answer = self.page_invalid().owned();
            return Explained { answer, explanation: None, grant_ids: Vec::new() };
        };
        let question = self.question(options, self.instant(options));
        let explanation = engine::explain(&program, &question);
        let answer = self.answered(program.terms().kind, &explanation.decision).owned();
        Explained { answer, explanation: Some(explanation), grant_ids }
    }

    fn page_invalid(&self) -> Answer<&'a str> {
        Answer::bare(Reason::PageInvalid, Some(self.standing))
    }

    #[inline(always)]
    fn question<'q>(&'q self, options: &AskOptions, now: Instant) -> Question<'q> {
        Question {
            now,
            amount: options.amount,
            extra: if options.used.is_some() { &[] } else { self.seen },
            used: options.used.unwrap_or_default(),
        }
    }

    /// The instant to answer for.
    ///
    /// What was seen at a whole minute itself would count a millisecond later; asked for now, it
    /// counts at once.
    #[inline(always)]
    fn instant(&self, options: &AskOptions) -> Instant {
        let now = self.standing.now;
        let seen_now = self.seen.last().is_some_and(|e| e.at >= now) && now.floor_minute() == now;
        match options.at {
            Some(at) => at,
            None if seen_now => now.plus_millis(1),
            None => now,
        }
    }

    #[cold]
    fn answered(&self, kind: engine::Kind, decision: &engine::Decision) -> Answer<&'a str> {
        self.answer_with(kind, decision)
    }

    #[inline(always)]
    fn answer_with(&self, kind: engine::Kind, decision: &engine::Decision) -> Answer<&'a str> {
        let counted = !matches!(decision.reason, engine::Reason::Grace | engine::Reason::Unlimited);
        let reason = self.under_policy(decision.reason.into(), decision.lapsed && counted);
        let answer = Answer::bare(reason, Some(self.standing)).with(decision);
        Answer {
            kind: Some(kind.into()),
            config: if answer.has_access { self.entry.config() } else { None },
            unit: self.feature.unit,
            policy_source: self.policies.of(&self.feature).1,
            ..answer
        }
    }

    /// What the feature's policy makes of a reason once the snapshot, or the source's own figure in
    /// it, no longer holds.
    #[inline(always)]
    fn under_policy(&self, reason: Reason, lapsed: bool) -> Reason {
        let expired = self.standing.rung == Rung::Expired;
        if expired || lapsed { self.policy_for(reason, expired) } else { reason }
    }

    #[cold]
    fn policy_for(&self, reason: Reason, expired: bool) -> Reason {
        match self.policies.of(&self.feature).0 {
            WhenExpired::Closed => Reason::ExpiredSnapshot,
            WhenExpired::Open if reason.is_closed() => reason,
            WhenExpired::Open => Reason::OpenPolicy,
            WhenExpired::LastKnown if expired && reason.has_access() => Reason::LastKnown,
            WhenExpired::LastKnown => reason,
        }
    }
}

/// What decides apart from what is counted.
#[inline(always)]
fn terms(outline: &Outline) -> Terms {
    let kind = match outline.rule {
        OutlineRule::Boolean => engine::Kind::Boolean,
        OutlineRule::Static => engine::Kind::Static,
        OutlineRule::Metered(metered) => {
            engine::Kind::Metered { unlimited: metered.unlimited, soft_limit: metered.soft_limit }
        }
    };
    Terms {
        suspended: outline.suspended,
        active_from: outline.active_from,
        active_to: outline.active_to,
        grace_until: outline.grace_until,
        kind,
    }
}

/// The steady state of a metered entitlement, and the instant up to which it includes usage.
#[inline(always)]
fn counted<'s>(outline: &Outline, steady: Option<&'s Steady>) -> Option<(&'s Steady, Instant)> {
    match (outline.rule, steady) {
        (OutlineRule::Metered(metered), Some(steady)) => Some((steady, metered.usage_as_of)),
        _ => None,
    }
}
