//! The whole line as somebody who is tested: facts are compiled, published, loaded and checked, and
//! usage that the snapshot does not include is recorded at the gate.

use std::fmt;

pub use edgegrant::engine::UsageEvent;
use edgegrant::engine::program::{Program, Rule, Usage};
use edgegrant::engine::{self, GrantState};
use edgegrant::gate::{Ask, Clock, Explained, Gate, Options, Origin, Reason};
use edgegrant::model::Status;
use edgegrant::snapshot::{EntitlementRecord, FeatureRecord, SubjectRecord, WhenExpired};
use edgegrant::time::Timestamp;
use edgegrant::trust::Keyring;
use edgegrant::{Error, Instant};

use crate::answer::{self, Answer};
pub use crate::engine::instant;
use crate::engine::{compiled, entitlement, kit_amount, kit_instant};
use crate::published::{self, Published, Times};
use crate::question::{Access, HistoryQuery, Ledger};
use crate::{KitError, naive};

/// The feature that every subject of a snapshot is entitled to.
pub const FEATURE: &str = "metered";

/// From where on a gate has to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Published where measuring begins, so that all usage comes in at the gate.
    Beginning,
    /// From an opening exactly on the last boundary before the question.
    Boundary,
    /// Published in the middle: usage before is included, usage after comes in at the gate.
    Between,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Beginning, Self::Boundary, Self::Between];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beginning => "published at the beginning",
            Self::Boundary => "opened at the last boundary",
            Self::Between => "published in between",
        })
    }
}

/// An entitlement as it is published, and the usage that comes in afterwards.
#[derive(Clone, Debug)]
pub struct Publication {
    /// What the snapshot holds of the subject, if anything.
    pub entitlement: Option<EntitlementRecord>,
    /// Usage that it does not include, in order of time.
    pub later: Vec<UsageEvent>,
}

/// How the ledger is published, by a way, for a question at `at`.
///
/// Corrections reach a gate only with a snapshot, so one that a question sees is published.
///
/// # Errors
/// When the engine refuses the facts.
pub fn publication(ledger: &Ledger, at: crate::Instant, way: Way) -> Result<Publication, KitError> {
    let whole = compiled(ledger)?;
    let start = whole.metered.opening.at;
    let minute = instant(at).ceil_minute();
    let corrected = |event: &&UsageEvent| event.amount.is_negative() && event.at < minute;
    let corrected = whole.events.iter().rfind(corrected).map(|event| event.at.plus_millis(1));
    let since = |at: Instant| corrected.map_or(at, |corrected| corrected.max(at));
    let length = (instant(at).millis() - start.millis()).max(0);
    let mut publication = match way {
        Way::Beginning => published_at(ledger, since(start), None)?,
        Way::Between => published_at(ledger, since(start.plus_millis(length * 2 / 3)), None)?,
        Way::Boundary => opened_before(ledger, whole, at, corrected)?,
    };
    publication.later.retain(|event| event.at < minute);
    Ok(publication)
}

/// The ledger as it is published at an instant, with the usage before that or an earlier one.
///
/// # Errors
/// When the engine refuses the facts.
pub fn published_at(
    ledger: &Ledger,
    publish_at: Instant,
    usage_as_of: Option<Instant>,
) -> Result<Publication, KitError> {
    let known = usage_as_of.unwrap_or(publish_at);
    let mut facts = entitlement(ledger);
    if let Some(usage) = &mut facts.usage {
        usage.as_of = usage_as_of.map(Timestamp::from);
        usage.events.retain(|event| event.at.floor_second() < known);
        // Counting is by the second, so an event may stand after the instant that it counts before.
        usage.events.iter_mut().for_each(|event| event.at = event.at.floor_second().into());
    }
    let compiled = engine::compile(&facts, Status::Active, publish_at)
        .map_err(|problem| KitError(format!("{}: {}", problem.path, problem.error.code())))?;
    let mut later = self::compiled(ledger)?.events;
    later.retain(|event| event.at >= known);
    let entitlement = EntitlementRecord {
        feature: FEATURE.to_owned(),
        program: compiled.program,
        config: None,
        grant_ids: compiled.grant_ids,
        steady: compiled.steady,
    };
    Ok(Publication { entitlement: Some(entitlement), later })
}

fn opened_before(
    ledger: &Ledger,
    mut whole: engine::Ledger,
    at: crate::Instant,
    included: Option<Instant>,
) -> Result<Publication, KitError> {
    let minute = instant(at).ceil_minute();
    let boundaries = naive::boundaries(ledger, at)?;
    let boundaries = boundaries.into_iter().map(|at| instant(at).floor_minute());
    if let Some(last) = boundaries.filter(|boundary| *boundary < minute).max() {
        whole.open_at(last);
    }
    if let Some(included) = included {
        let metered = &mut whole.metered;
        metered.usage_as_of = metered.usage_as_of.max(included);
        let (before, after) = whole.events.into_iter().partition(|event| event.at < included);
        let before: Vec<UsageEvent> = before;
        let since_opening = before.iter().map(|event| event.amount).sum();
        metered.usage = Usage::Flow { since_opening };
        whole.events = after;
    }
    let entitlement = EntitlementRecord {
        feature: FEATURE.to_owned(),
        config: None,
        grant_ids: whole.grant_ids,
        steady: whole.metered.steady(),
        program: Program {
            suspended: false,
            active_from: None,
            active_to: None,
            grace_until: None,
            rule: Rule::Metered(whole.metered),
        },
    };
    Ok(Publication { entitlement: Some(entitlement), later: whole.events })
}

/// The entitlement that an access question is about, if there is one.
///
/// # Errors
/// When the engine refuses the facts.
pub fn access(access: &Access) -> Result<Option<EntitlementRecord>, KitError> {
    if access.kind.is_none() {
        return Ok(None);
    }
    let mut program = crate::engine::access_program(access)?;
    if access.active == Some(false) {
        program.active_to = Some(Instant::MIN);
    }
    Ok(Some(EntitlementRecord {
        feature: FEATURE.to_owned(),
        program,
        config: None,
        grant_ids: Vec::new(),
        steady: None,
    }))
}

/// The name of the subject with the entitlement at a place.
#[must_use]
pub fn subject(place: usize) -> String {
    format!("subject-{place}")
}

/// When snapshots of this kind are signed; questions name their own instants.
///
/// # Panics
/// Never: the instant is well formed.
#[must_use]
pub fn signed_at() -> Instant {
    Instant::parse("2030-01-01T00:00:00Z").expect("an instant")
}

/// Signs a snapshot with a subject for each entitlement, named by its place.
///
/// # Errors
/// When the encoder refuses an entitlement.
pub fn publish(entitlements: Vec<Option<EntitlementRecord>>) -> Result<Published, KitError> {
    let feature =
        FeatureRecord { key: FEATURE.to_owned(), unit: None, when_expired: WhenExpired::LastKnown };
    let subjects = entitlements.into_iter().enumerate().map(|(place, entitlement)| SubjectRecord {
        id: subject(place),
        aliases: Vec::new(),
        entitlements: entitlement.into_iter().collect(),
    });
    published::publish_records(&[feature], subjects.collect(), Times::at(signed_at()))
}

/// A gate that has loaded the snapshot.
///
/// # Errors
/// When the gate refuses it.
pub fn load(snapshot: &Published) -> Result<Gate, KitError> {
    let keyring = Keyring::new(vec![published::key().trusted_key()], 1).map_err(refused)?;
    let audience = published::AUDIENCE.to_owned();
    let mut gate = Gate::new(Options::new(audience, keyring));
    gate.offer(&snapshot.head, Clock::At(signed_at()), Origin::Bytes).map_err(refused)?;
    gate.accept(snapshot.pack.clone()).map_err(refused)?;
    Ok(gate)
}

/// What a gate says of the subject at a place, once it has seen the later usage.
///
/// # Errors
/// When there is no value.
pub fn value(
    gate: &mut Gate,
    place: usize,
    later: &[UsageEvent],
    at: crate::Instant,
) -> Result<Answer, KitError> {
    record(gate, place, later);
    let subject = subject(place);
    let ask = ask(&subject, FEATURE, Some(instant(at)));
    if gate.has_access(&ask) != gate.check(&ask).has_access {
        return Err(KitError("the short answer is not that of the full one".to_owned()));
    }
    told(&gate.explain(&ask))
}

/// What a gate says about the history of the subject at a place, once it has seen the later usage.
///
/// # Errors
/// The gate's own.
pub fn history(
    gate: &mut Gate,
    place: usize,
    later: &[UsageEvent],
    query: &HistoryQuery,
) -> Result<Answer, KitError> {
    record(gate, place, later);
    let subject = subject(place);
    let window = crate::engine::window_size(query.window_size);
    let (from, to) = (instant(query.from), instant(query.to));
    let told =
        gate.history(&ask(&subject, FEATURE, None), from, Some(to), window).map_err(refused)?;
    Ok(Answer::History(crate::engine::told_history(&told.history, &told.grant_ids)))
}

/// What a gate says about access.
#[must_use]
pub fn access_at(gate: &Gate, place: usize, access: &Access) -> Answer {
    let subject = subject(place);
    let feature = if access.feature_exists { FEATURE } else { "another" };
    let answer = gate.check(&ask(&subject, feature, access.at.map(instant)));
    let refused = match answer.reason {
        Reason::UnknownFeature => Some("feature_not_found"),
        Reason::Exhausted => Some("usage_limit_reached"),
        _ if answer.has_access => None,
        _ => Some("feature_unavailable"),
    };
    Answer::Access(answer::Access {
        active: Some(answer.has_access || answer.reason == Reason::Exhausted),
        has_access: answer.has_access,
        reason: Some(refused.map(str::to_owned)),
    })
}

fn record(gate: &mut Gate, place: usize, later: &[UsageEvent]) {
    for event in later {
        gate.record(&subject(place), FEATURE, event.amount, event.at);
    }
}

fn ask<'a>(subject: &'a str, feature: &'a str, at: Option<Instant>) -> Ask<'a> {
    let clock = Clock::At(signed_at());
    Ask { subject, feature, clock, at, amount: None, used: None }
}

fn told(explained: &Explained) -> Result<Answer, KitError> {
    let answer = &explained.answer;
    let unknown = || KitError(answer.reason.as_str().to_owned());
    let amount = |amount: Option<edgegrant::Amount>| amount.map(kit_amount).ok_or_else(unknown);
    let explanation = explained.explanation.as_ref().ok_or_else(unknown)?;
    let counts = |state| matches!(state, GrantState::Active | GrantState::Exhausted);
    let grants = explanation.grants.iter().filter(|grant| counts(grant.state));
    let named = grants.filter_map(|grant| {
        Some((explained.grant_ids.get(grant.index)?.clone(), kit_amount(grant.balance)))
    });
    let period = answer.period.ok_or_else(unknown)?;
    Ok(Answer::Value(answer::Value {
        balance: amount(answer.balance)?,
        usage: amount(answer.usage)?,
        overage: amount(answer.overage)?,
        total_available_grant_amount: amount(answer.total_available)?,
        has_access: answer.has_access,
        grant_balances: named.collect(),
        current_usage_period: answer::Period {
            from: kit_instant(period.from),
            to: kit_instant(period.to.unwrap_or(Instant::MAX)),
        },
        segments: None,
    }))
}

fn refused(error: Error) -> KitError {
    KitError(format!("{}: {error}", error.code()))
}
