//! When what a source lists ends.
//!
//! The source's status wins when it is imported, the clock afterwards: a record that is listed as
//! usable with an end in the past is usable, and said to be. Ends that move forward on renewal are
//! known only with the next import, so they may be given a grace.

use edgegrant::Instant;
use edgegrant::time::Timestamp;

use super::{Notes, Reason};

/// How the ends of usable records are taken.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// When the source was asked.
    pub at: Instant,
    /// Deny what is past its end, whatever the status says.
    pub strict: bool,
    /// Milliseconds that an end is put off, so that a renewal arrives before it.
    pub renewal_grace: u64,
}

const PAST_END: Reason = (
    "past-end-at-import",
    "the source lists it as usable after its end; it is, until the source says otherwise",
);

impl Ends {
    /// The end to import for a usable record.
    pub(super) fn of(
        &self,
        end: Option<Timestamp>,
        record: &str,
        notes: &mut Notes,
    ) -> Option<Timestamp> {
        let end = end?;
        if end > Timestamp::from(self.at) {
            let grace = i64::try_from(self.renewal_grace).unwrap_or(i64::MAX);
            return Some(end.ceil_millis().plus_millis(grace).into());
        }
        if self.strict {
            return Some(end);
        }
        notes.warn(record, PAST_END);
        None
    }
}
