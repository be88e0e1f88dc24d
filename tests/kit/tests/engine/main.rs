//! What the engine promises, on every case at hand and on random ledgers.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first broken assumption"
)]

mod kinds;
mod publish;
mod reference;
mod retry;
mod tell;
mod until;

use edgegrant::Instant;
use edgegrant::engine::program::{Metered, Program, Rule};
use edgegrant::engine::{Ledger, UsageEvent};
use edgegrant_testkit::ledger::{Shape, random};
use edgegrant_testkit::{engine, question};

/// The facts of a seed; in a quarter of them usage may be negative.
fn facts(seed: u64) -> question::Ledger {
    random(seed, Shape { negative_usage: seed.is_multiple_of(4) }).expect("a ledger")
}

fn ledger(facts: &question::Ledger) -> Ledger {
    engine::compiled(facts).expect("facts that compile")
}

fn always(metered: Metered) -> Program {
    Program {
        suspended: false,
        active_from: None,
        active_to: None,
        grace_until: None,
        rule: Rule::Metered(metered),
    }
}

/// Usage that is known at `now`: the answer is that of the minute which follows.
fn known(events: &[UsageEvent], now: Instant) -> &[UsageEvent] {
    let minute = now.ceil_minute();
    events.get(..events.partition_point(|event| event.at < minute)).expect("a prefix")
}

/// The instants that a ledger is asked for.
fn asked(facts: &question::Ledger) -> Vec<Instant> {
    facts.queries.iter().map(|at| engine::instant(*at)).collect()
}

/// Usage that takes earlier usage back.
fn is_corrected(facts: &question::Ledger) -> bool {
    facts.usage.iter().any(|event| event.value < edgegrant_testkit::Amount::ZERO)
}

/// Whether an opening at an instant cannot serve every question.
///
/// Upstream, a grant that is over before it begins parts phases for questions from its beginning on
/// and for no others. In between, an opening is for one of the two; it shows where a phase's usage
/// is corrected, or where a grant that ends inside of a minute gives until the next phase.
fn is_parted(facts: &question::Ledger, opening: Instant) -> bool {
    let tells = is_corrected(facts) || facts.grants.iter().any(ends_inside_of_a_minute);
    tells && facts.grants.iter().any(|grant| is_over_before_it_begins(grant, opening))
}

fn ends(grant: &question::Grant) -> impl Iterator<Item = Instant> {
    let ends = [grant.expires_at, grant.voided_at, grant.deleted_at];
    ends.into_iter().flatten().map(engine::instant)
}

fn ends_inside_of_a_minute(grant: &question::Grant) -> bool {
    ends(grant).any(|end| end != end.floor_minute())
}

fn is_over_before_it_begins(grant: &question::Grant, at: Instant) -> bool {
    at <= engine::instant(grant.effective_at) && ends(grant).any(|end| end.floor_minute() < at)
}
