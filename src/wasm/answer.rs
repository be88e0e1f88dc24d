//! Where a decision waits for JavaScript: its numbers in a row, its texts beside them.
//!
//! `pkg/src/answer.ts` reads them in the same order.

use super::texts::Texts;
use crate::amount::Amount;
use crate::gate::{Answer, Kind, Origin, PolicySource};
use crate::time::Instant;

/// Room for one decision, whose address stays the same.
#[derive(Default)]
pub(super) struct Scratch {
    numbers: Box<Numbers>,
    texts: Texts,
    /// A config that is too long to be kept among the texts.
    config: Option<String>,
}

/// What JavaScript reads, one number behind the other.
#[repr(C)]
struct Numbers {
    decision: [f64; 20],
    /// How often what the gate answers may have changed.
    changes: f64,
    /// The same, apart from usage that was recorded.
    changes_but_usage: f64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { decision: [f64::NAN; 20], changes: 0.0, changes_but_usage: 0.0 }
    }
}

/// What stands for a config that has no number.
const UNKEPT: f64 = -1.0;

impl Scratch {
    #[inline(always)]
    pub(super) fn keep(&mut self, answer: &Answer<&str>) {
        let period = answer.period;
        self.numbers.decision = [
            f64::from(u8::from(answer.has_access)),
            f64::from(answer.reason.code()),
            answer.kind.map_or(f64::NAN, kind),
            number(answer.balance),
            number(answer.usage),
            number(answer.overage),
            number(answer.total_available),
            answer.usage_known.map_or(f64::NAN, |known| f64::from(u8::from(known))),
            millis(period.map(|period| period.from)),
            millis(period.and_then(|period| period.to)),
            millis(answer.until),
            millis(answer.retry_at),
            answer.version.map_or(f64::NAN, |version| version as f64),
            answer.age_millis.map_or(f64::NAN, |age| age as f64),
            f64::from(u8::from(answer.stale)),
            f64::from(u8::from(answer.clock_trusted)),
            answer.source.map_or(f64::NAN, source),
            f64::from(u8::from(answer.policy_source == PolicySource::Local)),
            self.keep_config(answer),
            self.keep_unit(answer),
        ];
    }

    /// No decision has a config as well, so that neither takes the other's cell.
    fn keep_unit(&mut self, answer: &Answer<&str>) -> f64 {
        let unit = answer.unit.filter(|_| answer.kind == Some(Kind::Metered));
        unit.and_then(|unit| self.texts.keep(unit)).unwrap_or(f64::NAN)
    }

    fn keep_config(&mut self, answer: &Answer<&str>) -> f64 {
        let Some(config) = answer.config.filter(|_| answer.kind == Some(Kind::Static)) else {
            return f64::NAN;
        };
        let number = self.texts.keep(config);
        if number.is_none() {
            self.config = Some(config.to_owned());
        }
        number.unwrap_or(UNKEPT)
    }

    pub(super) const fn numbers(&self) -> *const f64 {
        self.numbers.decision.as_ptr()
    }

    /// The config of the latest decision, once, if it has no number.
    pub(super) const fn take_config(&mut self) -> Option<String> {
        self.config.take()
    }

    /// The text with a number that a decision names.
    pub(super) fn text(&self, number: f64) -> Option<String> {
        self.texts.get(number).map(str::to_owned)
    }
}

/// A slice's answers are read anew each time.
#[cfg(feature = "gate")]
impl Scratch {
    pub(super) const fn count_record(&mut self) {
        self.numbers.changes += 1.0;
    }

    pub(super) const fn count_change(&mut self) {
        self.numbers.changes += 1.0;
        self.numbers.changes_but_usage += 1.0;
    }
}

fn number(amount: Option<Amount>) -> f64 {
    amount.map_or(f64::NAN, Amount::to_f64)
}

fn millis(instant: Option<Instant>) -> f64 {
    instant.map_or(f64::NAN, |instant| instant.millis() as f64)
}

const fn kind(kind: Kind) -> f64 {
    match kind {
        Kind::Boolean => 0.0,
        Kind::Static => 1.0,
        Kind::Metered => 2.0,
    }
}

pub(super) const fn source(origin: Origin) -> f64 {
    match origin {
        Origin::Network => 0.0,
        Origin::Store => 1.0,
        Origin::Bytes => 2.0,
    }
}
