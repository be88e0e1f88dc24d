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
