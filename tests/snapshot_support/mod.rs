//! Subjects, random and regular, and a second implementation of the digests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "each test uses a part of this, and a failed unwrap is a failed test"
)]

pub mod assemble;
pub mod crafted;
pub mod independent;
pub mod paged;
pub mod patches;
pub mod random;
pub mod remains;
pub mod signed;
pub mod sliced;
pub mod tenant;
pub mod told;
pub mod tried;

use edgegrant::amount::Amount;
use edgegrant::engine::Period;
use edgegrant::engine::program::{
    Figures, Grant, Metered, Opening, Program, Rule, Steady, Stretch, Timeline, Usage,
};
use edgegrant::snapshot::{
    Encoded, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, WhenExpired, encode,
};
use edgegrant::time::{Instant, Interval, Recurrence};

pub const SEED: [u8; 32] = [7; 32];

pub fn instant(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub fn usage_as_of() -> Instant {
    instant("2026-06-15T12:00:00Z")
}

pub fn settings() -> Settings {
    Settings { seed: SEED, usage_as_of: usage_as_of(), previous_page_bits: None }
}

pub fn features(count: usize) -> Vec<FeatureRecord> {
    let policies = [WhenExpired::LastKnown, WhenExpired::Closed, WhenExpired::Open];
    let feature = |index: usize| FeatureRecord {
        key: format!("feature_{index}"),
        unit: index.is_multiple_of(3).then(|| "request".to_owned()),
        when_expired: policies[index % 3],
    };
    (0..count).map(feature).collect()
}

pub fn plain(rule: Rule) -> Program {
    Program { suspended: false, active_from: None, active_to: None, grace_until: None, rule }
}

/// How regular subjects differ from each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// In their usage only.
    Usage,
    /// Also in their billing day and in the ids of their grants, which are ULIDs.
    Anchors,
}

/// A subject of one of three plans with 10 features, 3 of them metered.
pub fn planned(number: usize, own: Own) -> SubjectRecord {
    let plan = number % 3;
    let entitlement = |feature: usize| {
        let key = format!("feature_{feature}");
        let record = |rule, config: Option<String>| EntitlementRecord {
            feature: key.clone(),
            program: plain(rule),
            config,
            grant_ids: Vec::new(),
            steady: None,
        };
        match feature {
            0..=2 => metered(number, feature, &key, own),
            3..=5 => record(Rule::Static, Some(format!("{{\"plan\":{plan},\"level\":{feature}}}"))),
            _ => record(Rule::Boolean, None),
        }
    };
    SubjectRecord {
        id: format!("customer-{number:06}"),
        aliases: Vec::new(),
        entitlements: (0..10).map(entitlement).collect(),
    }
}

/// A monthly allowance, used somewhat.
fn metered(number: usize, feature: usize, key: &str, own: Own) -> EntitlementRecord {
    let mix = |salt: usize| (number * 2_654_435_761 + feature * 40_503 + salt * 97) % 1_000_003;
    let amount = Amount::from_units([1_000, 100_000, 1_000_000][number % 3] * (feature as i64 + 1));
    let used = Amount::from_units((mix(1) % 900) as i64);
    let day = if own == Own::Anchors { 1 + mix(2) % 28 } else { 1 };
    let minute = if own == Own::Anchors { mix(3) % 1440 } else { 0 };
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    let anchor = instant(&format!("2024-02-{day:02}T{clock}:00Z"));
    let grid = Recurrence { interval: Interval::parse("P1M").unwrap(), anchor };
    let now = usage_as_of();
    let period_start = grid.at_or_before(now).unwrap();
    let reset = grid.after(now).unwrap();
    let opening_at = period_start.plus_millis(60_000);
    let grant = Grant {
        amount,
        priority: 1,
        effective_at: anchor,
        expires_at: None,
        voided_at: None,
        deleted_at: None,
        recurrence: Some(grid),
        min_rollover: Amount::ZERO,
        max_rollover: Amount::ZERO,
    };
    let changes_at = Instant::first_seeing(reset);
    let id = match own {
        Own::Usage => format!("{key}-1"),
        Own::Anchors => ulid(mix(4) as u64 * 65_537, number as u64),
    };
    EntitlementRecord {
        feature: key.to_owned(),
        program: plain(Rule::Metered(Metered {
            unlimited: false,
            soft_limit: false,
            usage: Usage::Flow { since_opening: used },
            timeline: Timeline {
                stretches: vec![Stretch {
                    from: period_start,
                    grid: Some(grid),
                    preserve_overage: false,
                }],
                preserve_overage: false,
            },
            grants: vec![grant],
            opening: Opening {
                at: opening_at,
                period_start,
                balances: vec![amount],
                overage: Amount::ZERO,
                usage: Amount::ZERO,
                grant_usage: Amount::ZERO,
            },
            usage_as_of: now,
        })),
        config: None,
        grant_ids: vec![id],
        steady: Some(Steady {
            after: opening_at,
            until: changes_at,
            changes_at: Some(changes_at),
            net: amount - used,
            retry_at: None,
            figures: Figures {
                period: Period { from: period_start, to: Some(reset) },
                usage: Some(used),
                total_available: Some(amount),
            },
        }),
    }
}

pub fn ulid(high: u64, low: u64) -> String {
    let digits = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let value = u128::from(high) << 64 | u128::from(low);
    (0..26).rev().map(|place| char::from(digits[(value >> (5 * place) & 31) as usize])).collect()
}

pub fn planned_subjects(count: usize, own: Own) -> Vec<SubjectRecord> {
    (0..count).map(|number| planned(number, own)).collect()
}

/// Planned subjects of so many bytes that a few of them need two levels of nodes.
pub fn bulky_subjects(count: usize) -> Vec<SubjectRecord> {
    let mut subjects = planned_subjects(count, Own::Usage);
    for subject in &mut subjects {
        subject.entitlements.push(EntitlementRecord {
            feature: "feature_10".to_owned(),
            program: plain(Rule::Static),
            config: Some(format!("\"{}\"", subject.id.repeat(80))),
            grant_ids: Vec::new(),
            steady: None,
        });
    }
    subjects
}

pub fn encode_planned(count: usize, own: Own) -> Encoded {
    encode(&settings(), &features(10), planned_subjects(count, own)).unwrap()
}
