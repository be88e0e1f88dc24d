//! One line that is written over while something takes long and somebody watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::progress::Stage;

/// How far something is.
pub(super) struct Bar {
    is_shown: bool,
    began: Instant,
    /// When it was last written, in milliseconds after it began.
    written_ms: AtomicU64,
    /// How much is done of each stage.
    done: [AtomicU64; STAGES],
    /// How much there is to do of the first stage that is told of, if that is known.
    total: Option<u64>,
}

const STAGES: usize = 5;
const EVERY_MS: u64 = 100;
/// Encoding is counted in 256ths.
const BUCKETS: u64 = 256;

impl Bar {
    /// A bar that is seen only where standard error is a terminal and nobody wants JSON.
    pub(super) fn new(total: Option<u64>, json: bool) -> Self {
        Self {
            is_shown: !json && io::stderr().is_terminal(),
            began: Instant::now(),
            written_ms: AtomicU64::new(0),
            done: Default::default(),
            total,
        }
    }

    /// Says that so much more of a stage is done.
    pub(super) fn add(&self, stage: Stage, more: u64) {
        let Some(done) = self.done.get(stage as usize).filter(|_| self.is_shown) else { return };
        let done = done.fetch_add(more, Ordering::Relaxed) + more;
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let written_ms = self.written_ms.load(Ordering::Relaxed);
        let order = Ordering::Relaxed;
        let is_due = now_ms >= written_ms + EVERY_MS
            && self.written_ms.compare_exchange(written_ms, now_ms, order, order).is_ok();
        if is_due {
            eprint!("\r{}\u{1b}[K", line(stage, done, self.total));
            let _nobody_reads = io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.is_shown {
            eprint!("\r\u{1b}[K");
            let _nobody_reads = io::stderr().flush();
        }
    }
}

/// What the line says.
fn line(stage: Stage, done: u64, total: Option<u64>) -> String {
    let share = |total: u64| format!("{} %", (done * 100 / total.max(1)).min(100));
    let part = |count: String| total.map_or(count, share);
    match stage {
        Stage::Reading => format!("reading facts: {}", part(format!("{} MB", done / 1_000_000))),
        Stage::Checking => format!("checking facts: {done} lines"),
        // What has to be encoded again, in other pages, begins anew.
        Stage::Encoding => format!("encoding pages: {} %", done % BUCKETS * 100 / BUCKETS),
        Stage::Writing => format!("writing parts: {done}"),
        Stage::Generating => format!("generating: {}", part(format!("{done} subjects"))),
    }
}

/// How long files are together, if that is known.
pub(super) fn total_bytes(files: &[PathBuf]) -> Option<u64> {
    let length = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        metadata.is_file().then_some(metadata.len())
    };
    files.iter().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_shares_where_they_are_known() {
        assert_eq!(line(Stage::Reading, 50, Some(200)), "reading facts: 25 %");
        assert_eq!(line(Stage::Reading, 7_900_000, None), "reading facts: 7 MB");
        assert_eq!(line(Stage::Encoding, 64, Some(1)), "encoding pages: 25 %");
        assert_eq!(line(Stage::Encoding, 256 + 128, None), "encoding pages: 50 %");
        assert_eq!(line(Stage::Generating, 3, Some(0)), "generating: 100 %");
    }
}
