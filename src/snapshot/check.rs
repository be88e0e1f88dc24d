//! What a program must satisfy, whether it is about to be written or was just read.

use crate::amount::Amount;
use crate::engine::program::{Figures, Metered, Program, Rule, Steady, Usage};
use crate::time::Recurrence;

/// Whether a program and its steady state make sense together.
pub(super) fn program(program: &Program, steady: Option<&Steady>) -> bool {
    let window = match (program.active_from, program.active_to) {
        (Some(from), Some(to)) => from <= to,
        _ => true,
    };
    window
        && match &program.rule {
            Rule::Metered(rule) => {
                metered(rule) && steady.is_none_or(|steady| steady_state(rule, steady))
            }
            Rule::Boolean | Rule::Static => steady.is_none(),
        }
}

fn metered(metered: &Metered) -> bool {
    let opening = &metered.opening;
    let stretches = &metered.timeline.stretches;
    let ordered = stretches.is_sorted_by_key(|stretch| stretch.from);
    let grids = stretches.iter().filter_map(|stretch| stretch.grid).all(recurs);
    let grants = metered.grants.iter().all(|grant| {
        let ends = grant.expires_at.is_none_or(|end| end >= grant.effective_at);
        let amounts = [grant.amount, grant.min_rollover, grant.max_rollover];
        ends && amounts.into_iter().all(quantity) && grant.recurrence.is_none_or(recurs)
    });
    let tallies = [opening.overage, opening.usage, opening.grant_usage];
    !stretches.is_empty()
        && ordered
        && grids
        && opening.period_start <= opening.at
        && opening.balances.len() == metered.grants.len()
        && opening.balances.iter().copied().all(quantity)
        && tallies.into_iter().all(Amount::is_in_range)
        && grants
        && usage(metered.usage)
}

fn usage(usage: Usage) -> bool {
    match usage {
        Usage::Flow { since_opening } => since_opening.is_in_range(),
        Usage::Level { in_use } => in_use.is_in_range(),
        Usage::Unknown => true,
        Usage::Value { balance, usage, overage } => {
            [balance, usage, overage].into_iter().all(Amount::is_in_range)
        }
    }
}

fn steady_state(metered: &Metered, steady: &Steady) -> bool {
    let Steady { after, until, changes_at, net, retry_at, figures } = steady;
    let retries = match (changes_at, retry_at) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(change), Some(at)) => change <= at && !net.is_positive(),
    };
    let Figures { period, usage, total_available } = *figures;
    let follows = match metered.usage {
        Usage::Flow { .. } => usage.is_some() && total_available.is_some(),
        Usage::Level { in_use } => (usage, total_available) == (Some(in_use), None),
        Usage::Unknown => (usage, total_available) == (None, None),
        Usage::Value { usage: told, .. } => (usage, total_available) == (Some(told), None),
    };
    after <= until
        && net.is_in_range()
        && retries
        && follows
        && [usage, total_available].iter().flatten().all(|amount| amount.is_in_range())
        && period.to.is_none_or(|to| period.from <= to)
}

/// Facts recur no more often than every hour, and histories count on it.
const fn recurs(recurrence: Recurrence) -> bool {
    recurrence.interval.is_hour_or_longer() && recurrence.interval.is_whole_minutes()
}

fn quantity(amount: Amount) -> bool {
    !amount.is_negative() && amount.is_in_range()
}
