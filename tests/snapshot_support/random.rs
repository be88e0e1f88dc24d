//! Random programs that use every field, edge values included.

use edgegrant::amount::Amount;
use edgegrant::engine::Period;
use edgegrant::engine::program::{
    Figures, Grant, Metered, Opening, Program, Rule, Steady, Stretch, Timeline, Usage,
};
use edgegrant::snapshot::{EntitlementRecord, FeatureRecord, SubjectRecord};
use edgegrant::time::{Instant, Interval, Recurrence};

use super::{ulid, usage_as_of};

/// A small generator (splitmix64), so that a seed is all that a failure needs.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn maybe<T>(&mut self, percent: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(percent) { Some(make(self)) } else { None }
    }

    fn list<T>(&mut self, max: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(max + 1)).map(|_| make(self)).collect()
    }

    /// An amount of any size and fineness, not negative.
    fn quantity(&mut self) -> Amount {
        match self.below(6) {
            0 => Amount::ZERO,
            1 => Amount::MAX,
            2 => Amount::EPSILON,
            3 => Amount::from_nanos(i128::from(self.below(1 << 50))),
            4 => Amount::from_nanos(i128::from(self.below(1 << 30)) * 10_000_000),
            _ => Amount::from_units(self.below(100_000) as i64),
        }
    }

    fn amount(&mut self) -> Amount {
        if self.chance(20) { -self.quantity() } else { self.quantity() }
    }

    fn instant(&mut self) -> Instant {
        match self.below(20) {
            0 => Instant::MIN,
            1 => Instant::MAX,
            2..6 => Instant::from_millis(self.below(1 << 41) as i64).unwrap(),
            _ => usage_as_of().plus_millis(self.below(1 << 20) as i64 * 60_000).floor_minute(),
        }
    }

    fn pair(&mut self) -> (Instant, Instant) {
        let (one, other) = (self.instant(), self.instant());
        (one.min(other), one.max(other))
    }

    fn recurrence(&mut self) -> Recurrence {
        let interval = match self.below(4) {
            0 => Interval::parse("P1M").unwrap(),
            1 => Interval::new(self.below(3), self.below(14), 3_600_000).unwrap(),
            2 => Interval::new(1_000, 12_000, 366_000 * 86_400_000).unwrap(),
            _ => Interval::new(0, 0, 60_000 * (60 + self.below(1 << 17))).unwrap(),
        };
        Recurrence { interval, anchor: self.instant() }
    }

    fn usage(&mut self) -> Usage {
        match self.below(4) {
            0 => Usage::Flow { since_opening: self.amount() },
            1 => Usage::Level { in_use: self.amount() },
            2 => Usage::Unknown,
            _ => Usage::Value {
                balance: self.quantity(),
                usage: self.amount(),
                overage: self.quantity(),
            },
        }
    }

    fn grant(&mut self) -> Grant {
        let (effective_at, end) = self.pair();
        Grant {
            amount: self.quantity(),
            priority: self.next() as u8,
            effective_at,
            expires_at: self.maybe(50, |_| end),
            voided_at: self.maybe(20, Self::instant),
            deleted_at: self.maybe(20, Self::instant),
            recurrence: self.maybe(40, Self::recurrence),
            min_rollover: if self.chance(30) { self.quantity() } else { Amount::ZERO },
            max_rollover: if self.chance(30) { self.quantity() } else { Amount::ZERO },
        }
    }

    fn metered(&mut self) -> Metered {
        let grants = self.list(6, Self::grant);
        let (period_start, at) = self.pair();
        let mut froms = self.list(3, Self::instant);
        froms.push(period_start);
        froms.sort_unstable();
        let stretch = |from| Stretch {
            from,
            grid: self.maybe(70, Self::recurrence),
            preserve_overage: self.chance(50),
        };
        let stretches = froms.into_iter().map(stretch).collect();
        Metered {
            unlimited: self.chance(10),
            soft_limit: self.chance(20),
            usage: self.usage(),
            timeline: Timeline { stretches, preserve_overage: self.chance(30) },
            opening: Opening {
                at,
                period_start,
                balances: grants.iter().map(|_| self.quantity()).collect(),
                overage: self.quantity(),
                usage: self.amount(),
                grant_usage: self.amount(),
            },
            grants,
            usage_as_of: if self.chance(70) { usage_as_of() } else { self.instant() },
        }
    }

    fn steady(&mut self, metered: &Metered) -> Steady {
        let (after, until) = self.pair();
        let changes_at = self.maybe(60, Self::instant);
        let (from, to) = self.pair();
        let period = Period { from, to: self.maybe(80, |_| to) };
        let (usage, total_available) = match metered.usage {
            Usage::Flow { .. } => (Some(self.amount()), Some(self.amount())),
            Usage::Level { in_use } => (Some(in_use), None),
            Usage::Unknown => (None, None),
            Usage::Value { usage, .. } => (Some(usage), None),
        };
        let figures = Figures { period, usage, total_available };
        let net = self.amount();
        let later = changes_at.filter(|_| !net.is_positive()).map(|at| at.max(self.instant()));
        let retry_at = later.filter(|_| self.chance(70));
        Steady { after, until, changes_at, net, retry_at, figures }
    }

    fn entitlement(&mut self, feature: &str) -> EntitlementRecord {
        let rule = match self.below(5) {
            0 => Rule::Boolean,
            1 => Rule::Static,
            _ => Rule::Metered(self.metered()),
        };
        let grants = if let Rule::Metered(metered) = &rule { metered.grants.len() } else { 0 };
        let (from, to) = self.pair();
        let program = Program {
            suspended: self.chance(10),
            active_from: self.maybe(30, |_| from),
            active_to: self.maybe(30, |_| to),
            grace_until: self.maybe(10, Self::instant),
            rule,
        };
        let id = |index: usize| match self.below(3) {
            0 => format!("{feature}-{index}"),
            1 => ulid(self.next() >> 1, index as u64),
            _ => format!("grant {index} \u{e9}"),
        };
        let grant_ids = (0..grants).map(id).collect();
        let steady = match &program.rule {
            Rule::Metered(metered) => self.maybe(70, |random| random.steady(metered)),
            Rule::Boolean | Rule::Static => None,
        };
        EntitlementRecord {
            feature: feature.to_owned(),
            config: self.maybe(20, |random| format!("{{\"v\":{}}}", random.below(3))),
            grant_ids,
            steady,
            program,
        }
    }

    pub fn subject(&mut self, number: usize, features: &[FeatureRecord]) -> SubjectRecord {
        let entitled: Vec<_> = features.iter().filter(|_| self.chance(60)).collect();
        let alias = |random: &mut Self| format!("alias-{number}-{}", random.next());
        SubjectRecord {
            id: format!("subject-{number}\0\u{e9}"),
            aliases: self.list(2, alias),
            entitlements: entitled.into_iter().map(|f| self.entitlement(&f.key)).collect(),
        }
    }
}
